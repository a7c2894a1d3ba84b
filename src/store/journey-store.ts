import { randomUUID } from 'node:crypto';
import { Deadline } from '../journeys/deadline.js';
import type { JourneyRules } from '../journeys/journey.js';
import type { ArriveOutcome, RecordOutcome, StopOutcome } from '../journeys/outcomes.js';
import type * as ports from '../journeys/ports.js';
import { ScriptBatcher, type ScriptBatcherDependencies } from './script-batcher.js';
import { asFailure, type RedisCommands } from './connection.js';
import * as keys from './keys.js';
import { lifecycleKeys, repeatKeyOf } from './lifecycle-keys.js';
import { SINGLE_REDIS, type Partitions } from './partitions.js';
import { pollParts, positionParts, readLiveArguments, recordPositionsArguments } from './script-arguments.js';
import {
  alreadyActive,
  arriveOutcome,
  firstStart,
  liveReading,
  recordOutcome,
  startAttempt,
  stopOutcome,
} from './replies.js';
import { formatMeta } from './stored-values.js';
import type { JourneyScripts, ScriptReply } from './scripts.js';

export interface LifecycleConnection {
  redis: JourneyScripts & Pick<RedisCommands, 'mget'>;
  /** Resolves once all that was written on it is on enough replicas. @throws StateUnavailableError */
  confirm: () => Promise<void>;
}

/** Words of the scripts after which a caller may rely on a start or an end. */
const TELLS_OF_A_WRITE = new Set(['started', 'replayed', 'already_active', 'ended_now', 'ended']);

export interface JourneyStoreDependencies {
  redis: JourneyScripts & Pick<RedisCommands, 'mget'>;
  /** For starts and ends, where they have to be on replicas first. */
  lifecycle?: LifecycleConnection | undefined;
  /** Of a cluster; a single Redis has none. */
  partitions?: Partitions | undefined;
  rules: Pick<JourneyRules, 'journeyTtlSeconds'>;
  commandTimeoutMs: number;
  observe: (operation: string, seconds: number, succeeded: boolean) => void;
  /** Called with the key of a location that could not be read and was written anew. */
  onHealed: (key: string) => void;
  /** Milliseconds since the epoch instead of Redis' own clock: for tests that move the time. */
  clock?: (() => number) | undefined;
}

/**
 * All journeys, in Redis: one script, and so one atomic step and one round trip, a method. Positions and polls that come
 * in together share a call.
 */
export class RedisJourneyStore implements ports.JourneyStore {
  readonly #redis: JourneyStoreDependencies['redis'];
  readonly #lifecycle: LifecycleConnection;
  readonly #partitions: Partitions;
  readonly #rules: Pick<JourneyRules, 'journeyTtlSeconds'>;
  readonly #dependencies: JourneyStoreDependencies;
  readonly #clock: () => string;
  readonly #deadline: Deadline;
  readonly #positions: ScriptBatcher;
  readonly #polls: ScriptBatcher;
  #underWay = 0;

  constructor(dependencies: JourneyStoreDependencies) {
    this.#redis = dependencies.redis;
    const { redis } = dependencies;
    this.#lifecycle = dependencies.lifecycle ?? { redis, confirm: () => Promise.resolve() };
    this.#partitions = dependencies.partitions ?? SINGLE_REDIS;
    this.#rules = dependencies.rules;
    this.#dependencies = dependencies;
    this.#deadline = new Deadline(dependencies.commandTimeoutMs, 'redis');
    const { clock } = dependencies;
    this.#clock = clock === undefined ? () => '' : () => String(clock());
    this.#positions = this.#batchesOf('recordPosition', (parts, tag) =>
      this.#redis.recordPositions(...recordPositionsArguments(parts, this.#clock(), tag)),
    );
    this.#polls = this.#batchesOf('readLive', (parts, tag) =>
      this.#redis.readLive(...readLiveArguments(parts, this.#clock(), tag)),
    );
  }

  /** Calls that have no answer yet. */
  get underWay(): number {
    return this.#underWay + this.#positions.underWay + this.#polls.underWay;
  }

  async start(
    journey: ports.JourneyToStart,
    idempotency: ports.Idempotency | null,
  ): Promise<ports.StartAttempt> {
    const { trainerId, studentId, session } = journey;
    const { sessionId } = session;
    const tag = this.#partitions.tagOf(sessionId);
    const active = keys.activeKey(sessionId, tag);
    const repeatKey = idempotency && repeatKeyOf('start', sessionId, tag, idempotency);
    const home = session.home && { latitude: session.home.latitude, longitude: session.home.longitude };
    const reply = await this.#runLifecycle('start', active, (redis) =>
      redis.startJourney(
        ...lifecycleKeys(sessionId, tag),
        repeatKey ?? active,
        this.#clock(),
        sessionId,
        trainerId,
        studentId,
        ownedHead(sessionId, trainerId) + `"studentId":"${studentId}",`,
        `"status":"in_progress","studentHomeLocation":${JSON.stringify(home)}}`,
        formatMeta(session),
        home?.latitude ?? '',
        home?.longitude ?? '',
        randomUUID(),
        keys.locationKeyPrefix(tag),
        repeatKey === null ? '' : '1',
      ),
    );
    return startAttempt(reply, sessionId, repeatKey, this.#rules.journeyTtlSeconds);
  }

  async findStart(
    sessionId: string,
    idempotency: ports.Idempotency | null,
  ): Promise<ports.StartAttempt | null> {
    const tag = this.#partitions.tagOf(sessionId);
    const active = keys.activeKey(sessionId, tag);
    const repeatKey = idempotency === null ? active : repeatKeyOf('start', sessionId, tag, idempotency);
    const [first, current] = await this.#run('findStart', active, async () => {
      const { redis, confirm } = this.#lifecycle;
      const found = await redis.mget(repeatKey, active);
      if (found.some((value) => value !== null)) await confirm();
      return found;
    });
    if (idempotency !== null && typeof first === 'string') return firstStart(repeatKey, first);
    return typeof current === 'string'
      ? alreadyActive(current, sessionId, this.#rules.journeyTtlSeconds)
      : null;
  }

  async recordPosition(update: ports.PositionToRecord): Promise<RecordOutcome> {
    const { sessionId, trainerId } = update;
    const tag = this.#partitions.tagOf(sessionId);
    const key = keys.activeKey(sessionId, tag);
    const reply = await this.#positions.call(tag, key, positionParts(update, tag));
    if (reply[0] === 'healed') this.#dependencies.onHealed(keys.locationKey(trainerId, sessionId, tag));
    return recordOutcome(reply, sessionId);
  }

  async readLive(sessionId: string): Promise<ports.LiveReading> {
    const tag = this.#partitions.tagOf(sessionId);
    const key = keys.activeKey(sessionId, tag);
    const reply = await this.#polls.call(tag, key, pollParts(sessionId, tag));
    return liveReading(reply, sessionId, this.#rules.journeyTtlSeconds);
  }

  async reportStale(sessionId: string): Promise<void> {
    const tag = this.#partitions.tagOf(sessionId);
    const active = keys.activeKey(sessionId, tag);
    const [track, mark] = [keys.trackKey(sessionId, tag), keys.staleToldKey(sessionId, tag)];
    await this.#run('reportStale', active, () =>
      this.#redis.reportStale(active, track, mark, tag + keys.OUTBOX_KEY, this.#clock(), sessionId),
    );
  }

  async arrive(
    sessionId: string,
    trainerId: string,
    idempotency: ports.Idempotency | null,
  ): Promise<ArriveOutcome> {
    return arriveOutcome(await this.#end('arrived', sessionId, trainerId, idempotency), sessionId);
  }

  async stop(
    sessionId: string,
    stoppedBy: string | null,
    idempotency: ports.Idempotency | null,
  ): Promise<StopOutcome> {
    return stopOutcome(await this.#end('cancelled', sessionId, stoppedBy ?? '', idempotency), sessionId);
  }

  #end(
    reason: 'arrived' | 'cancelled',
    sessionId: string,
    callerId: string,
    idempotency: ports.Idempotency | null,
  ): Promise<ScriptReply> {
    const tag = this.#partitions.tagOf(sessionId);
    const active = keys.activeKey(sessionId, tag);
    const repeatKey = idempotency && repeatKeyOf(reason, sessionId, tag, idempotency);
    return this.#runLifecycle(reason === 'arrived' ? 'arrive' : 'stop', active, (redis) =>
      redis.endJourney(
        ...lifecycleKeys(sessionId, tag),
        repeatKey ?? active,
        this.#clock(),
        sessionId,
        callerId,
        reason,
        randomUUID(),
        keys.locationKeyPrefix(tag),
        repeatKey === null ? '' : '1',
      ),
    );
  }

  /** What is acknowledged has to outlive the primary, where that is asked for. */
  #runLifecycle(
    operation: string,
    key: string,
    call: (redis: JourneyScripts) => Promise<ScriptReply>,
  ): Promise<ScriptReply> {
    return this.#run(operation, key, async () => {
      const { redis, confirm } = this.#lifecycle;
      const reply = await call(redis);
      if (TELLS_OF_A_WRITE.has(reply[0])) await confirm();
      return reply;
    });
  }

  #batchesOf(operation: string, send: ScriptBatcherDependencies['send']): ScriptBatcher {
    const observe = (seconds: number, succeeded: boolean) => {
      this.#dependencies.observe(operation, seconds, succeeded);
    };
    return new ScriptBatcher({ send, deadline: this.#deadline, observe });
  }

  async #run<T>(operation: string, key: string, call: () => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    let succeeded = false;
    this.#underWay++;
    try {
      const reply = await this.#deadline.hold(call());
      succeeded = true;
      return reply;
    } catch (error) {
      throw asFailure(error, key);
    } finally {
      this.#underWay--;
      this.#dependencies.observe(operation, (performance.now() - startedAt) / 1000, succeeded);
    }
  }
}

/** How journey:active's JSON begins: the ids first, so that record_positions.lua knows the owner without decoding. */
function ownedHead(sessionId: string, trainerId: string): string {
  return `{"sessionId":"${sessionId}","trainerId":"${trainerId}",`;
}

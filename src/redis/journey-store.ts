import { createHash, randomUUID } from 'node:crypto';
import { Deadline } from '../journey/deadline.js';
import type { JourneyRules } from '../journey/journey.js';
import type { ArriveOutcome, RecordOutcome, StopOutcome } from '../journey/outcomes.js';
import type * as ports from '../journey/ports.js';
import { Batches, type BatchesDependencies } from './batches.js';
import { asFailure } from './connection.js';
import * as keys from './keys.js';
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

export interface JourneyStoreDependencies {
  redis: JourneyScripts & { mget(...keys: string[]): Promise<(string | null)[]> };
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
  readonly #rules: Pick<JourneyRules, 'journeyTtlSeconds'>;
  readonly #dependencies: JourneyStoreDependencies;
  readonly #clock: () => string;
  readonly #deadline: Deadline;
  readonly #positions: Batches;
  readonly #polls: Batches;
  #underWay = 0;

  constructor(dependencies: JourneyStoreDependencies) {
    this.#redis = dependencies.redis;
    this.#rules = dependencies.rules;
    this.#dependencies = dependencies;
    this.#deadline = new Deadline(dependencies.commandTimeoutMs, 'redis');
    const { clock } = dependencies;
    this.#clock = clock === undefined ? () => '' : () => String(clock());
    this.#positions = this.#batchesOf('recordPosition', (parts) =>
      this.#redis.recordPositions(...recordPositionsArguments(parts, this.#clock())),
    );
    this.#polls = this.#batchesOf('readLive', (parts) =>
      this.#redis.readLive(...readLiveArguments(parts, this.#clock())),
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
    const repeatKey = idempotency && repeatKeyOf('start', sessionId, idempotency);
    const home = session.home && { latitude: session.home.latitude, longitude: session.home.longitude };
    const reply = await this.#run('start', keys.activeKey(sessionId), () =>
      this.#redis.startJourney(
        ...this.#lifecycleKeys(sessionId),
        repeatKey ?? keys.activeKey(sessionId),
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
        keys.LOCATION_KEY_PREFIX,
        repeatKey === null ? '' : '1',
      ),
    );
    return startAttempt(reply, sessionId, repeatKey, this.#rules.journeyTtlSeconds);
  }

  async findStart(
    sessionId: string,
    idempotency: ports.Idempotency | null,
  ): Promise<ports.StartAttempt | null> {
    const active = keys.activeKey(sessionId);
    const repeatKey = idempotency === null ? active : repeatKeyOf('start', sessionId, idempotency);
    const [first, current] = await this.#run('findStart', active, () => this.#redis.mget(repeatKey, active));
    if (idempotency !== null && typeof first === 'string') return firstStart(repeatKey, first);
    return typeof current === 'string'
      ? alreadyActive(current, sessionId, this.#rules.journeyTtlSeconds)
      : null;
  }

  async recordPosition(update: ports.PositionToRecord): Promise<RecordOutcome> {
    const { sessionId, trainerId } = update;
    const reply = await this.#positions.call(keys.activeKey(sessionId), positionParts(update));
    if (reply[0] === 'healed') this.#dependencies.onHealed(keys.locationKey(trainerId, sessionId));
    return recordOutcome(reply, sessionId);
  }

  async readLive(sessionId: string): Promise<ports.LiveReading> {
    const reply = await this.#polls.call(keys.activeKey(sessionId), pollParts(sessionId));
    return liveReading(reply, sessionId, this.#rules.journeyTtlSeconds);
  }

  async reportStale(sessionId: string): Promise<void> {
    const active = keys.activeKey(sessionId);
    const [track, mark] = [keys.trackKey(sessionId), keys.staleToldKey(sessionId)];
    await this.#run('reportStale', active, () =>
      this.#redis.reportStale(active, track, mark, keys.OUTBOX_KEY, this.#clock(), sessionId),
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
    const repeatKey = idempotency && repeatKeyOf(reason, sessionId, idempotency);
    return this.#run(reason === 'arrived' ? 'arrive' : 'stop', keys.activeKey(sessionId), () =>
      this.#redis.endJourney(
        ...this.#lifecycleKeys(sessionId),
        repeatKey ?? keys.activeKey(sessionId),
        this.#clock(),
        sessionId,
        callerId,
        reason,
        randomUUID(),
        keys.LOCATION_KEY_PREFIX,
        repeatKey === null ? '' : '1',
      ),
    );
  }

  #lifecycleKeys(sessionId: string): string[] {
    return [
      keys.activeKey(sessionId),
      keys.endedKey(sessionId),
      keys.trackKey(sessionId),
      keys.metaKey(sessionId),
      keys.DEADLINES_KEY,
      keys.OUTBOX_KEY,
    ];
  }

  #batchesOf(operation: string, send: BatchesDependencies['send']): Batches {
    const observe = (seconds: number, succeeded: boolean) => {
      this.#dependencies.observe(operation, seconds, succeeded);
    };
    return new Batches({ send, deadline: this.#deadline, observe });
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

/** The key is the caller's text, so only its digest becomes part of a name in Redis. */
function repeatKeyOf(call: string, sessionId: string, { callerId, key }: ports.Idempotency): string {
  const digest = createHash('sha256').update(`${call}\n${callerId}\n${key}`).digest('base64url').slice(0, 22);
  return keys.idempotencyKey(sessionId, digest);
}

import { randomUUID } from 'node:crypto';
import { StateUnavailableError } from '../journeys/errors.js';
import type { JourneyRules } from '../journeys/journey.js';
import type { ArriveOutcome, RecordOutcome, StopOutcome } from '../journeys/outcomes.js';
import type * as ports from '../journeys/ports.js';
import type { Keys } from './keys.js';
import { SINGLE_REDIS, type Partitions } from './partitions.js';
import { redisCall } from './redis-call.js';
import { arriveOutcome, liveReading, recordOutcome, startAttempt, stopOutcome } from './replies.js';
import {
  heartbeatParts,
  pollParts,
  positionParts,
  readLiveArguments,
  recordPositionsArguments,
  type CallParts,
} from './script-arguments.js';
import { ScriptBatcher, type ScriptBatcherDependencies } from './script-batcher.js';
import type { JourneyScripts, ScriptReply } from './scripts.js';
import { formatMeta } from './stored-values.js';

export interface LifecycleConnection {
  redis: JourneyScripts;
  /** Resolves once enough replicas have all writes of this connection. @throws StateUnavailableError */
  confirm: () => Promise<void>;
}

/** Outcomes that acknowledge a start or an end. */
const ACKNOWLEDGING = new Set(['started', 'replayed', 'already_active', 'ended_now', 'ended']);

export interface JourneyStoreDependencies {
  redis: JourneyScripts;
  /** For starts and ends, where they must be on replicas first. */
  lifecycle?: LifecycleConnection | undefined;
  /** Of a cluster. */
  partitions?: Partitions | undefined;
  rules: Pick<JourneyRules, 'journeyTtlSeconds'>;
  commandTimeoutMs: number;
  /** Whether Redis denies this user commands, so that a script could fail after its first write. */
  isForbidden?: (() => boolean) | undefined;
  observe: (operation: string, seconds: number, succeeded: boolean) => void;
  /** Called with the key of a location that could not be read and was overwritten. */
  onHealed: (key: string) => void;
  /** Milliseconds since the epoch instead of Redis' own clock, for tests. */
  clock?: (() => number) | undefined;
}

/** All journeys, in Redis. Each method is one script: one atomic step in one round trip. Updates and polls are batched. */
export class RedisJourneyStore implements ports.JourneyStore {
  readonly #dependencies: JourneyStoreDependencies;
  readonly #lifecycle: LifecycleConnection;
  readonly #partitions: Partitions;
  readonly #ttlSeconds: number;
  readonly #clock: () => string;
  readonly #updates: ScriptBatcher;
  readonly #polls: ScriptBatcher;

  constructor(dependencies: JourneyStoreDependencies) {
    const { redis, clock } = dependencies;
    this.#dependencies = dependencies;
    this.#lifecycle = dependencies.lifecycle ?? { redis, confirm: () => Promise.resolve() };
    this.#partitions = dependencies.partitions ?? SINGLE_REDIS;
    this.#ttlSeconds = dependencies.rules.journeyTtlSeconds;
    this.#clock = clock === undefined ? () => '' : () => String(clock());
    this.#updates = this.#batcher('recordPosition', (parts, keys) =>
      redis.recordPositions(...recordPositionsArguments(parts, this.#clock(), keys)),
    );
    this.#polls = this.#batcher('readLive', (parts, keys) =>
      redis.readLive(...readLiveArguments(parts, this.#clock(), keys)),
    );
  }

  async start(
    journey: ports.JourneyToStart,
    idempotency: ports.Idempotency | null,
  ): Promise<ports.StartAttempt> {
    const { trainerId, studentId, session } = journey;
    const { sessionId } = session;
    const keys = this.#partitions.keysOf(sessionId);
    const active = keys.active(sessionId);
    const repeatKey = idempotency && keys.firstAnswer('start', sessionId, idempotency);
    const home = session.home && { latitude: session.home.latitude, longitude: session.home.longitude };
    const reply = await this.#runLifecycle('start', active, (redis) =>
      redis.startJourney(
        ...keys.lifecycle(sessionId),
        repeatKey ?? active,
        this.#clock(),
        sessionId,
        trainerId,
        studentId,
        // The ids first: see scripts/includes/trainer_of.lua.
        `{"sessionId":"${sessionId}","trainerId":"${trainerId}","studentId":"${studentId}",`,
        `"status":"in_progress","studentHomeLocation":${JSON.stringify(home)}}`,
        formatMeta(session),
        home?.latitude ?? '',
        home?.longitude ?? '',
        randomUUID(),
        keys.locationPrefix,
        repeatKey === null ? '' : '1',
      ),
    );
    return startAttempt(reply, sessionId, keys, repeatKey, this.#ttlSeconds);
  }

  async findStart(
    sessionId: string,
    idempotency: ports.Idempotency | null,
  ): Promise<ports.StartAttempt | null> {
    const keys = this.#partitions.keysOf(sessionId);
    const active = keys.active(sessionId);
    const repeatKey = idempotency && keys.firstAnswer('start', sessionId, idempotency);
    const reply = await this.#runLifecycle('findStart', active, (redis) =>
      redis.findStart(active, keys.track(sessionId), repeatKey ?? active, repeatKey === null ? '' : '1'),
    );
    return reply[0] === 'none' ? null : startAttempt(reply, sessionId, keys, repeatKey, this.#ttlSeconds);
  }

  recordPosition(update: ports.PositionToRecord): Promise<RecordOutcome> {
    return this.#recordUpdate(update, (keys) => positionParts(update, keys));
  }

  recordHeartbeat(heartbeat: ports.HeartbeatToRecord): Promise<RecordOutcome> {
    return this.#recordUpdate(heartbeat, (keys) => heartbeatParts(heartbeat, keys));
  }

  async #recordUpdate(
    { sessionId, trainerId }: Pick<ports.PositionToRecord, 'sessionId' | 'trainerId'>,
    partsOf: (keys: Keys) => CallParts,
  ): Promise<RecordOutcome> {
    const keys = this.#partitions.keysOf(sessionId);
    const reply = await this.#updates.call(keys, keys.active(sessionId), partsOf(keys));
    if (reply[0] === 'healed') this.#dependencies.onHealed(keys.location(trainerId, sessionId));
    return recordOutcome(reply, sessionId, keys);
  }

  async readLive(sessionId: string): Promise<ports.LiveReading> {
    const keys = this.#partitions.keysOf(sessionId);
    const reply = await this.#polls.call(keys, keys.active(sessionId), pollParts(sessionId, keys));
    return liveReading(reply, sessionId, keys, this.#ttlSeconds);
  }

  async reportStale(sessionId: string): Promise<void> {
    const keys = this.#partitions.keysOf(sessionId);
    const active = keys.active(sessionId);
    const [track, mark] = [keys.track(sessionId), keys.staleTold(sessionId)];
    await this.#run('reportStale', active, () =>
      this.#dependencies.redis.reportStale(active, track, mark, keys.outbox, this.#clock(), sessionId),
    );
  }

  async arrive(
    sessionId: string,
    trainerId: string,
    idempotency: ports.Idempotency | null,
  ): Promise<ArriveOutcome> {
    const { reply, keys, repeatKey } = await this.#end('arrived', sessionId, trainerId, idempotency);
    return arriveOutcome(reply, sessionId, keys, repeatKey);
  }

  async stop(
    sessionId: string,
    stoppedBy: string | null,
    idempotency: ports.Idempotency | null,
  ): Promise<StopOutcome> {
    const { reply, keys, repeatKey } = await this.#end('cancelled', sessionId, stoppedBy ?? '', idempotency);
    return stopOutcome(reply, sessionId, keys, repeatKey);
  }

  async #end(
    reason: 'arrived' | 'cancelled',
    sessionId: string,
    callerId: string,
    idempotency: ports.Idempotency | null,
  ) {
    const keys = this.#partitions.keysOf(sessionId);
    const active = keys.active(sessionId);
    const repeatKey = idempotency && keys.firstAnswer(reason, sessionId, idempotency);
    const operation = reason === 'arrived' ? 'arrive' : 'stop';
    const reply = await this.#runLifecycle(operation, active, (redis) =>
      redis.endJourney(
        ...keys.lifecycle(sessionId),
        repeatKey ?? active,
        this.#clock(),
        sessionId,
        callerId,
        reason,
        randomUUID(),
        keys.locationPrefix,
        repeatKey === null ? '' : '1',
      ),
    );
    return { reply, keys, repeatKey };
  }

  #runLifecycle(
    operation: string,
    key: string,
    call: (redis: JourneyScripts) => Promise<ScriptReply>,
  ): Promise<ScriptReply> {
    return this.#run(operation, key, async () => {
      const { redis, confirm } = this.#lifecycle;
      const reply = await call(redis);
      if (ACKNOWLEDGING.has(reply[0])) await confirm();
      return reply;
    });
  }

  #batcher(operation: string, send: ScriptBatcherDependencies['send']): ScriptBatcher {
    const { commandTimeoutMs: timeoutMs } = this.#dependencies;
    const observe = (seconds: number, succeeded: boolean) => {
      this.#dependencies.observe(operation, seconds, succeeded);
    };
    return new ScriptBatcher({ send, timeoutMs, observe });
  }

  #run<T>(operation: string, key: string, call: () => Promise<T>): Promise<T> {
    const { commandTimeoutMs: timeoutMs, observe, isForbidden } = this.#dependencies;
    return redisCall({ operation, key, timeoutMs, observe }, async () => {
      if (isForbidden?.() === true) throw new StateUnavailableError('redis', 'lacking rights');
      return call();
    });
  }
}

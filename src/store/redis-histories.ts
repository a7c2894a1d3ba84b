import type { ErrorCode } from '../contract/errors.js';
import type { FleetCursor } from '../contract/fleet.js';
import type { HistoryReading, JourneyHistories, WatchMark } from '../journeys/journey-history.js';
import type { RedisCommands } from './connection.js';
import type { Keys } from './keys.js';
import type { Partitions } from './partitions.js';
import { redisCall, type RedisCallOptions } from './redis-call.js';
import type { JourneyScripts } from './scripts.js';
import { historyReading, WATCH_MARK_TTL_SECONDS } from './stored-history.js';

export interface RedisHistoriesDependencies {
  redis: RedisCommands & JourneyScripts;
  partitions: Partitions;
  commandTimeoutMs: number;
  observe: RedisCallOptions['observe'];
  /** Milliseconds since the epoch instead of Redis' own clock, for tests. */
  clock?: (() => number) | undefined;
}

/** What support reads of all journeys, in Redis. */
export class RedisHistories implements JourneyHistories {
  readonly #dependencies: RedisHistoriesDependencies;

  constructor(dependencies: RedisHistoriesDependencies) {
    this.#dependencies = dependencies;
  }

  get partitions(): number {
    return this.#dependencies.partitions.all.length;
  }

  async activeAfter(cursor: FleetCursor | null, count: number): Promise<FleetCursor[]> {
    const found: FleetCursor[] = [];
    for (let partition = cursor?.partition ?? 0; partition < this.partitions; partition++) {
      const after = partition === cursor?.partition ? cursor : null;
      found.push(...(await this.#activeIn(partition, after, count - found.length)));
      if (found.length >= count) break;
    }
    return found;
  }

  async #activeIn(partition: number, after: FleetCursor | null, count: number): Promise<FleetCursor[]> {
    const { partitions, redis } = this.#dependencies;
    const key = partitions.all[partition]?.expiries ?? '';
    const from = after?.expiresAtMs ?? '-inf';
    const found: FleetCursor[] = [];
    // The first is usually the one at which the page before ended; others may have the same score.
    const size = count + 1;
    for (let offset = 0; found.length < count; offset += size) {
      const reply = await this.#run('listActive', key, () =>
        redis.zrangebyscore(key, from, '+inf', 'WITHSCORES', 'LIMIT', offset, size),
      );
      const page = pairsOf(reply).map(([sessionId, score]) => ({ partition, expiresAtMs: score, sessionId }));
      found.push(...page.filter((each) => after === null || isAfter(each, after)));
      if (page.length < size) break;
    }
    return found.slice(0, count);
  }

  async read(sessionId: string): Promise<HistoryReading> {
    const { redis } = this.#dependencies;
    const keys = this.#keysOf(sessionId);
    const own = [keys.active(sessionId), keys.track(sessionId), keys.timeline(sessionId)];
    const marks = [keys.watched(sessionId), keys.watchRefused(sessionId)];
    const reply = await this.#run('readHistory', keys.timeline(sessionId), () =>
      redis.readHistory(...own, ...marks, this.#clock()),
    );
    return historyReading(reply);
  }

  async reportRefusal(sessionId: string, trainerId: string, code: ErrorCode): Promise<void> {
    const keys = this.#keysOf(sessionId);
    const active = keys.active(sessionId);
    await this.#run('reportRefusal', active, () =>
      this.#dependencies.redis.reportRefusal(active, keys.track(sessionId), this.#clock(), trainerId, code),
    );
  }

  async markWatched(sessionId: string, mark: WatchMark): Promise<void> {
    const keys = this.#keysOf(sessionId);
    const key = mark === 'watched' ? keys.watched(sessionId) : keys.watchRefused(sessionId);
    await this.#run('markWatched', key, () =>
      this.#dependencies.redis.set(key, '', 'EX', WATCH_MARK_TTL_SECONDS),
    );
  }

  #keysOf(sessionId: string): Keys {
    return this.#dependencies.partitions.keysOf(sessionId);
  }

  #clock(): string {
    const { clock } = this.#dependencies;
    return clock === undefined ? '' : String(clock());
  }

  #run<T>(operation: string, key: string, call: () => Promise<T>): Promise<T> {
    const { commandTimeoutMs: timeoutMs, observe } = this.#dependencies;
    return redisCall({ operation, key, timeoutMs, observe }, call);
  }
}

function isAfter(one: FleetCursor, other: FleetCursor): boolean {
  // Redis orders members of one score by their bytes.
  return one.expiresAtMs > other.expiresAtMs || one.sessionId > other.sessionId;
}

/** Of a reply with scores. */
function pairsOf(reply: string[]): [member: string, score: number][] {
  return reply.flatMap((member, index): [string, number][] =>
    index % 2 === 0 ? [[member, Number(reply[index + 1])]] : [],
  );
}

import type { Redis } from 'ioredis';
import { compared } from './contract/calls.js';
import type { ExpectedKey } from './contract/expected-keys.js';

interface FoundKey {
  ttlMs: number;
  value: string | null;
}

export interface Found {
  /** When the keys were read, by performance.now(). */
  atMs: number;
  keys: Map<string, FoundKey>;
  deadlines: Map<string, number>;
}

/** No key expires by Redis' own clock: the model decides when. */
const SHORTEST_TTL_MS = 1_000;

/** What support sees is not modelled; it only has to expire, by Redis' own clock. */
const FOR_SUPPORT = /^journey:(timeline|watched|watch-refused):/;

/** Keys that belong to no session. */
const SHARED_KEYS = ['journey:outbox', 'journey:outbox:dead', 'journey:expiries'];

const SETTLE = `
  for index = 1, #ARGV, 2 do
    if tonumber(ARGV[index + 1]) > 0 then redis.call('PEXPIRE', ARGV[index], ARGV[index + 1])
    else redis.call('DEL', ARGV[index]) end
  end`;

const READ_ALL = `
  local found = {}
  for _, name in ipairs(redis.call('KEYS', '*')) do
    local text = redis.call('TYPE', name).ok == 'string' and redis.call('GET', name)
    found[#found + 1] = { name, redis.call('PTTL', name), text }
  end
  return { found, redis.call('ZRANGE', 'journey:expiries', 0, -1, 'WITHSCORES') }`;

/** A Redis whose keys expire by the model's clock. */
export class RedisUnderModel {
  readonly #redis: Redis;
  #settled = new Map<string, number>();
  /** When the keys were last read without a difference, and the same before the clock was moved. */
  #correctAtMs = performance.now();
  #unreadSinceMs = performance.now();

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** keys: all that exist. Each gets the TTL that it has by the model's clock, or is deleted. */
  async moveClock(keys: readonly ExpectedKey[], nowMs: number): Promise<void> {
    this.#unreadSinceMs = this.#correctAtMs;
    const left = keys.map(({ name, untilMs }): [string, number] => [
      name,
      untilMs > nowMs ? Math.max(SHORTEST_TTL_MS, untilMs - nowMs) : 0,
    ]);
    for (const [name, ms] of left) this.#settled.set(name, ms);
    await this.#redis.eval(SETTLE, 0, ...left.flat());
  }

  async read(): Promise<Found> {
    const atMs = performance.now();
    const [found, deadlines] = (await this.#redis.eval(READ_ALL, 0)) as [
      [string, number, string | null][],
      string[],
    ];
    const keys = found
      .filter(([name, ttlMs]) => !SHARED_KEYS.includes(name) && !(FOR_SUPPORT.test(name) && ttlMs > 0))
      .map(([name, ttlMs, value]): [string, FoundKey] => [name, { ttlMs, value }]);
    const pairs = deadlines.flatMap((member, index): [string, number][] =>
      index % 2 === 0 ? [[member, Number(deadlines[index + 1])]] : [],
    );
    return { atMs, keys: new Map(keys), deadlines: new Map(pairs) };
  }

  /** There was no difference. */
  accept({ atMs }: Found): void {
    this.#correctAtMs = atMs;
  }

  differences(wanted: readonly ExpectedKey[], { keys }: Found, nowMs: number): string[] {
    const names = new Set(wanted.map(({ name }) => name));
    const surplus = [...keys.keys()].filter((name) => !names.has(name)).map((name) => `${name} is there`);
    return [...surplus, ...wanted.flatMap((key) => this.#difference(key, keys.get(key.name), nowMs))];
  }

  async removeAll({ keys, deadlines }: Found): Promise<void> {
    if (keys.size > 0) await this.#redis.del(...keys.keys());
    if (deadlines.size > 0) await this.#redis.zrem('journey:expiries', ...deadlines.keys());
    this.#settled = new Map();
  }

  outboxLength(): Promise<number> {
    return this.#redis.xlen('journey:outbox');
  }

  #difference({ name, untilMs, json }: ExpectedKey, found: FoundKey | undefined, nowMs: number): string[] {
    if (found === undefined) return [`${name} is missing`];
    const longest = Math.max(untilMs - nowMs, this.#settled.get(name) ?? 0);
    // Redis' clock has moved on since the TTLs were set, and a new key may be a little older.
    const shortest = untilMs - nowMs - (performance.now() - this.#unreadSinceMs) - 2;
    const isFine = found.ttlMs >= shortest && found.ttlMs <= longest;
    const ttl = isFine ? [] : [`${name} lives for ${found.ttlMs} ms, and should for ${untilMs - nowMs}`];
    return json === undefined ? ttl : [...ttl, ...compared(name, json, parsed(found.value))];
  }
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return text;
  }
}

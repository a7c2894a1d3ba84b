import { nextTick } from 'node:process';
import type { Writable } from 'node:stream';
import { Redis, type RedisOptions } from 'ioredis';
import { CorruptStateError, StateUnavailableError } from '../journeys/errors.js';

/** What the rest of the service asks of a Redis, beside the scripts: one connection gives it, and a cluster's client. */
export type RedisCommands = Pick<
  Redis,
  | 'mget'
  | 'multi'
  | 'set'
  | 'time'
  | 'xadd'
  | 'xautoclaim'
  | 'xgroup'
  | 'xinfo'
  | 'xlen'
  | 'xrange'
  | 'xreadgroup'
  | 'zcard'
>;

export interface SentinelSettings {
  addresses: { host: string; port: number }[];
  /** The primary's name among them. */
  name: string;
  password: string | undefined;
}

export interface RedisSettings {
  url: string;
  /** Who say where the primary is; null: the URL does. */
  sentinels?: SentinelSettings | null;
  commandTimeoutMs: number;
}

const LONGEST_RECONNECT_DELAY_MS = 500;
const HEARD_OUT_MS = 100;

export function reconnectDelayMs(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 4), LONGEST_RECONNECT_DELAY_MS) * (0.5 + Math.random() / 2);
}

/**
 * A connection that comes back by itself and queues nothing meanwhile: what can't be sent now fails now. ioredis' own
 * defaults (20 retries, an offline queue) would answer a phone's question of long ago.
 */
export function connect(settings: RedisSettings, name: string, onError: (error: Error) => void): Redis {
  const redis = new Redis(settings.url, {
    ...connectionOptions(settings.commandTimeoutMs),
    ...sentinelOptions(settings),
    connectionName: name,
  });
  redis.on('error', onError);
  redis.on('connect', () => {
    prepare(redis.stream);
  });
  return redis;
}

/** For a new connection's stream, which is a new one each time. */
export function prepare(stream: Redis['stream']): void {
  coalesceWrites(stream);
  hearOutBeforeEnding(stream);
}

/**
 * A connection that was silent for socketTimeout is ended only when there is nothing to read on it either. ioredis' timer
 * is due all the same where this process stood still and Redis did not, and would fail all that Redis has answered.
 */
function hearOutBeforeEnding(stream: Redis['stream']): void {
  const end = stream.destroy.bind(stream);
  stream.destroy = (error?: Error) => {
    if (error?.message.startsWith('Socket timeout') !== true) return end(error);
    const { bytesRead } = stream;
    setTimeout(() => {
      if (stream.bytesRead === bytesRead) end(error);
    }, HEARD_OUT_MS).unref();
    return stream;
  };
}

/**
 * One write to the socket for all commands that are sent together, and of one text instead of a list of them. ioredis'
 * own autopipelining does the same with an object of 250 methods and a getter a turn, whose garbage outlives V8's young
 * generation: 5 MB of it at each collection of a bare server under load, and none this way.
 */
export function coalesceWrites(stream: Writable, later: (flush: () => void) => unknown = nextTick): void {
  let pending = '';
  const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
  const flush = () => {
    const text = pending;
    pending = '';
    if (text !== '') write(text);
  };
  stream.write = (...args: unknown[]): boolean => {
    const [chunk] = args;
    if (typeof chunk !== 'string' || args.length > 1) {
      flush();
      return write(...args);
    }
    if (pending === '') later(flush);
    pending += chunk;
    return true;
  };
}

/** The same for subscriptions. They end with the connection: who listened has to know that something may be missed. */
export function connectForListening(
  settings: RedisSettings,
  name: string,
  onError: (error: Error) => void,
): Redis {
  const redis = new Redis(settings.url, {
    ...connectionOptions(settings.commandTimeoutMs),
    ...sentinelOptions(settings),
    connectionName: name,
    autoResubscribe: false,
  });
  redis.on('error', onError);
  redis.on('connect', () => {
    prepare(redis.stream);
  });
  return redis;
}

/** The same for commands that wait on the server for up to waitMs. */
export function connectForWaiting(
  settings: RedisSettings,
  name: string,
  waitMs: number,
  onError: (error: Error) => void,
): Redis {
  const redis = new Redis(settings.url, {
    ...connectionOptions(settings.commandTimeoutMs + waitMs),
    ...sentinelOptions(settings),
    connectionName: name,
  });
  redis.on('error', onError);
  return redis;
}

export function connectionOptions(socketTimeoutMs: number) {
  return {
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    // One timer a connection: a Redis that hangs loses it, and all that waits on it fails together.
    socketTimeout: socketTimeoutMs,
    retryStrategy: reconnectDelayMs,
    // After a failover the old primary refuses writes; a new connection finds the new one.
    reconnectOnError: (error: Error) => /(^|: -)READONLY/.test(error.message),
  } satisfies RedisOptions;
}

/** ioredis asks the sentinels at each new connection; the URL tells the rest: password, database, encryption. */
function sentinelOptions({ url, sentinels, commandTimeoutMs }: RedisSettings) {
  if (sentinels === null || sentinels === undefined) return {};
  const isEncrypted = url.startsWith('rediss:');
  return {
    sentinels: sentinels.addresses,
    name: sentinels.name,
    ...(sentinels.password !== undefined && { sentinelPassword: sentinels.password }),
    ...(isEncrypted && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
    sentinelCommandTimeout: commandTimeoutMs,
    sentinelRetryStrategy: reconnectDelayMs,
  } satisfies RedisOptions;
}

/**
 * Answers by which Redis says that it can't serve now, as against one that says the request or the data is wrong; before
 * Redis 7 a script's error has its own words in front. A key that is not local any more is one of a slot that moves.
 */
const UNAVAILABLE =
  /(^|: -)(LOADING|READONLY|OOM|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|NOREPLICAS|MISCONF|NOAUTH|WRONGPASS|NOPERM|UNKILLABLE|MOVED|ASK|ERR max number of clients)|Script attempted to access a non local key/;

/** What an error from ioredis means to a caller: the data is wrong, or Redis is away. */
export function asFailure(error: unknown, key: string): StateUnavailableError | CorruptStateError {
  if (error instanceof StateUnavailableError || error instanceof CorruptStateError) return error;
  if (error instanceof Error && error.name === 'ReplyError' && !UNAVAILABLE.test(error.message))
    return new CorruptStateError(key, error);
  return new StateUnavailableError('redis', error);
}

import { isIP } from 'node:net';
import { Redis, type RedisOptions } from 'ioredis';
import { CorruptStateError, StateUnavailableError } from '../journeys/errors.js';

/** The commands beside the scripts that the service uses, of a single Redis and of a cluster. */
export type RedisCommands = Pick<
  Redis,
  | 'call'
  | 'info'
  | 'mget'
  | 'set'
  | 'time'
  | 'xgroup'
  | 'xlen'
  | 'xpending'
  | 'xrange'
  | 'xreadgroup'
  | 'zcard'
  | 'zrange'
  | 'zrangebyscore'
>;

export interface SentinelSettings {
  addresses: { host: string; port: number }[];
  /** The primary's name. */
  name: string;
  password: string | undefined;
}

export interface RedisSettings {
  url: string;
  /** Null: the URL names the primary. */
  sentinels?: SentinelSettings | null;
  commandTimeoutMs: number;
}

export interface ConnectionListener {
  /** Shown in CLIENT LIST. */
  name: string;
  onError: (error: Error) => void;
}

const CONNECT_TIMEOUT_MS = 2_000;
/**
 * A Redis that hangs loses the connection. Longer than a turn of the event loop under overload, because ioredis does not
 * read what arrived in the meantime before it disconnects; and longer than a command that blocks.
 */
const SOCKET_TIMEOUT_MS = 3_000;
const LONGEST_RECONNECT_DELAY_MS = 500;

export function reconnectDelayMs(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 4), LONGEST_RECONNECT_DELAY_MS) * (0.5 + Math.random() / 2);
}

export function createClient(settings: RedisSettings, listener: ConnectionListener): Redis {
  return connectionTo(settings, listener, {});
}

/** Does not resubscribe on its own: subscribers have to know that messages may be missing. */
export function createSubscriber(settings: RedisSettings, listener: ConnectionListener): Redis {
  return connectionTo(settings, listener, { autoResubscribe: false });
}

function connectionTo(
  settings: RedisSettings,
  { name, onError }: ConnectionListener,
  options: Pick<RedisOptions, 'autoResubscribe'>,
): Redis {
  const redis = new Redis(settings.url, {
    ...connectionOptions,
    ...encryption(settings),
    ...sentinelOptions(settings),
    ...options,
    connectionName: name,
  });
  redis.on('error', onError);
  return redis;
}

/** Reconnects in the background and queues nothing meanwhile: a command that cannot be sent fails at once. */
export const connectionOptions = {
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  connectTimeout: CONNECT_TIMEOUT_MS,
  socketTimeout: SOCKET_TIMEOUT_MS,
  retryStrategy: reconnectDelayMs,
  // After a failover the old primary refuses writes; a new connection finds the new one.
  reconnectOnError: (error: Error) => /(^|: -)READONLY/.test(error.message),
} satisfies RedisOptions;

/** With the host's name for proxies that route by it (SNI), which Node's TLS does not send unasked; an address is none. */
export function tlsTo(host: string): { servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {};
}

/** Behind sentinels the host is known only when ioredis connects. */
function encryption({ url, sentinels }: RedisSettings) {
  const { protocol, hostname } = new URL(url);
  return protocol === 'rediss:' && !sentinels ? { tls: tlsTo(hostname.replace(/^\[|\]$/g, '')) } : {};
}

/** ioredis asks the sentinels for each new connection; password, database and encryption come from the URL. */
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

/** In scripts Redis 7.0 and 7.2 say it in other words. */
const DENIED = /^NOPERM|^ERR The user executing the script can't|ACL failure in script/;

/** Whether the reply means that the user lacks a right. */
export function isDenied(error: unknown): boolean {
  return error instanceof Error && DENIED.test(error.message);
}

/**
 * Error replies of a Redis that cannot serve now, in contrast to a wrong request or wrong data. Before Redis 7 a script's
 * error starts with other words. A key that is not local is in a slot that is being migrated.
 */
const UNAVAILABLE =
  /(^|: -)(LOADING|READONLY|OOM|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|NOREPLICAS|MISCONF|NOAUTH|WRONGPASS|UNKILLABLE|MOVED|ASK|ERR max number of clients)|Script attempted to access a non local key/;

/** What an error of ioredis means: the data is corrupt, or Redis is unavailable. */
export function asFailure(error: unknown, key: string): StateUnavailableError | CorruptStateError {
  if (error instanceof StateUnavailableError || error instanceof CorruptStateError) return error;
  if (
    error instanceof Error &&
    error.name === 'ReplyError' &&
    !UNAVAILABLE.test(error.message) &&
    !isDenied(error)
  )
    return new CorruptStateError(key, error);
  return new StateUnavailableError('redis', error);
}

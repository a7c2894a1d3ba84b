import { Cluster, Redis } from 'ioredis';
import { connectionOptions, prepare, reconnectDelayMs, type RedisSettings } from './connection.js';

/**
 * A command that a node would not take yet (its slot moves, or its connection is being made) is sent again after this part
 * of its time limit, and so often that it is given up by the time that its caller is.
 */
const RETRIES_IN_A_TIME_LIMIT = 10;
/** A retry asks any node first, which sends it on: two of these a retry. */
const MAX_REDIRECTIONS = 18;
const SLOTS_REFRESH_INTERVAL_MS = 5_000;
/** Some seconds: then its address may be no node's any more, and the cluster is asked for others. */
const MOST_RECONNECTS_OF_A_NODE = 20;

/**
 * A client of a whole cluster, with a connection to each node. As on a single Redis, a command that was on its way when its
 * connection broke fails: nobody knows whether it was done, and only the caller knows what a repeat would mean. One that
 * has not been taken is sent again by ioredis, to wherever its slot is by then.
 */
export function connectToCluster(
  settings: RedisSettings,
  name: string,
  onError: (error: Error) => void,
): Cluster {
  const { host, port, ...credentials } = addressOf(settings.url);
  const { commandTimeoutMs } = settings;
  const retryDelayMs = commandTimeoutMs / RETRIES_IN_A_TIME_LIMIT;
  const cluster = new Cluster([{ host, port }], {
    lazyConnect: true,
    enableOfflineQueue: false,
    // It asks a node whose connection may still be opening, and then connects anew without ever settling the first
    // connect(): a process that waits for it would never listen. A cluster that is down says so to each command.
    enableReadyCheck: false,
    clusterRetryStrategy: reconnectDelayMs,
    // Nodes that come back by themselves: with it ioredis tells commands that were under way from those that were not.
    clusterNodeRetryStrategy: (attempt) =>
      attempt > MOST_RECONNECTS_OF_A_NODE ? null : reconnectDelayMs(attempt),
    retryDelayOnFailover: retryDelayMs,
    retryDelayOnTryAgain: retryDelayMs,
    // That takes a failover: seconds.
    retryDelayOnClusterDown: 0,
    maxRedirections: MAX_REDIRECTIONS,
    slotsRefreshTimeout: commandTimeoutMs,
    // Certificates name hosts, not addresses.
    dnsLookup: (address, callback) => {
      callback(null, address);
    },
    redisOptions: { ...nodeOptions(commandTimeoutMs), ...credentials, connectionName: name },
  });
  cluster.on('error', onError);
  cluster.on('node error', onError);
  refreshSlots(cluster);
  cluster.on('+node', (node: Redis) => {
    node.on('connect', () => {
      prepare(node.stream);
    });
    // A replica's is then there when it becomes the primary. Not at once: who asked for a new node has to be the first.
    process.nextTick(() => {
      if (node.status === 'wait') node.connect().catch(() => undefined);
    });
  });
  return cluster;
}

/** Not by slotsRefreshInterval: disconnected during a refresh, ioredis goes on for ever, and holds the process with it. */
function refreshSlots(cluster: Cluster): void {
  const timer = setInterval(() => {
    if (cluster.status === 'ready') cluster.refreshSlotsCache();
  }, SLOTS_REFRESH_INTERVAL_MS).unref();
  cluster.on('end', () => {
    clearInterval(timer);
  });
}

/**
 * One connection for subscriptions, to any node: a cluster tells all of them what is published on one. Each time that it is
 * lost another node may be the one.
 */
export function connectForListeningToAny(
  settings: RedisSettings,
  name: string,
  nodes: () => Redis[],
  onError: (error: Error) => void,
): Redis {
  const listener = new Redis({
    ...addressOf(settings.url),
    ...connectionOptions(settings.commandTimeoutMs),
    connectionName: name,
    autoResubscribe: false,
    retryStrategy: (attempt) => {
      const known = nodes();
      const { host, port } =
        known[Math.floor(Math.random() * known.length)]?.options ?? addressOf(settings.url);
      Object.assign(listener.options, { host, port });
      return reconnectDelayMs(attempt);
    },
  });
  listener.on('error', onError);
  listener.on('connect', () => {
    prepare(listener.stream);
  });
  return listener;
}

/** Whether any of the primaries answers: of one that is away all processes say the same, and the others serve on. */
export async function pingCluster(cluster: Cluster): Promise<unknown> {
  return Promise.any(cluster.nodes('master').map((node) => node.ping()));
}

function nodeOptions(commandTimeoutMs: number) {
  const {
    connectTimeout,
    socketTimeout,
    maxRetriesPerRequest,
    autoResendUnfulfilledCommands,
    reconnectOnError,
  } = connectionOptions(commandTimeoutMs);
  return {
    connectTimeout,
    socketTimeout,
    maxRetriesPerRequest,
    autoResendUnfulfilledCommands,
    reconnectOnError,
  };
}

function addressOf(text: string) {
  const url = new URL(text);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 6379),
    ...(url.username !== '' && { username: decodeURIComponent(url.username) }),
    ...(url.password !== '' && { password: decodeURIComponent(url.password) }),
    ...(url.protocol === 'rediss:' && { tls: {} }),
  };
}

import { Cluster, Redis } from 'ioredis';
import {
  connectionOptions,
  tlsTo,
  reconnectDelayMs,
  type ConnectionListener,
  type RedisSettings,
} from './connection.js';

/** Retries of a command that no node accepts yet end before its caller gives up. */
const RETRIES_WITHIN_TIMEOUT = 10;
/** A retry asks any node first, which redirects it: two redirections per retry. */
const MAX_REDIRECTIONS = 18;
const SLOTS_REFRESH_INTERVAL_MS = 5_000;
/** Then the address may no longer be a node's, and the cluster is asked for its nodes. */
const MAX_NODE_RECONNECTS = 20;

/**
 * A client with a connection to each node. A command in flight on a connection that breaks fails, because only its caller
 * knows whether it may be repeated; ioredis repeats one that no node has accepted.
 */
export function createClusterClient(settings: RedisSettings, listener: ConnectionListener): Cluster {
  const { host, port, ...credentials } = addressOf(settings.url);
  const { commandTimeoutMs } = settings;
  const retryDelayMs = commandTimeoutMs / RETRIES_WITHIN_TIMEOUT;
  const {
    connectTimeout,
    socketTimeout,
    maxRetriesPerRequest,
    autoResendUnfulfilledCommands,
    reconnectOnError,
  } = connectionOptions;
  const cluster = new Cluster([{ host, port }], {
    lazyConnect: true,
    enableOfflineQueue: false,
    // With it, a check of a node that is still connecting leaves the first connect() unsettled for ever.
    enableReadyCheck: false,
    clusterRetryStrategy: reconnectDelayMs,
    // With it, ioredis fails commands in flight and repeats only the others.
    clusterNodeRetryStrategy: (attempt) => (attempt > MAX_NODE_RECONNECTS ? null : reconnectDelayMs(attempt)),
    retryDelayOnFailover: retryDelayMs,
    retryDelayOnTryAgain: retryDelayMs,
    // A failover takes seconds, longer than any caller waits.
    retryDelayOnClusterDown: 0,
    maxRedirections: MAX_REDIRECTIONS,
    slotsRefreshTimeout: commandTimeoutMs,
    // Certificates name hosts, not addresses.
    dnsLookup: (address, callback) => {
      callback(null, address);
    },
    redisOptions: {
      ...{
        connectTimeout,
        socketTimeout,
        maxRetriesPerRequest,
        autoResendUnfulfilledCommands,
        reconnectOnError,
      },
      ...credentials,
      connectionName: listener.name,
    },
  });
  cluster.on('error', listener.onError);
  cluster.on('node error', listener.onError);
  nameHosts(cluster);
  connectToReplicas(cluster);
  refreshSlots(cluster);
  return cluster;
}

/** Each node's own name, before ioredis connects to it. */
function nameHosts(cluster: Cluster): void {
  cluster.on('+node', ({ options }: Redis) => {
    if (options.tls !== undefined) options.tls = tlsTo(options.host ?? '');
  });
}

/** A replica's connection is then open when it becomes the primary. */
function connectToReplicas(cluster: Cluster): void {
  cluster.on('+node', (node: Redis) => {
    // Deferred: the command for which ioredis adds a node has to be the first on it.
    process.nextTick(() => {
      if (node.status === 'wait') node.connect().catch(() => undefined);
    });
  });
}

/** Not by slotsRefreshInterval: disconnected during a refresh, ioredis never stops it, which keeps the process alive. */
function refreshSlots(cluster: Cluster): void {
  const timer = setInterval(() => {
    if (cluster.status === 'ready') cluster.refreshSlotsCache();
  }, SLOTS_REFRESH_INTERVAL_MS).unref();
  cluster.on('end', () => {
    clearInterval(timer);
  });
}

/** Subscribes at any node, because a cluster broadcasts messages to all; at another after each lost connection. */
export function createClusterSubscriber(
  settings: RedisSettings,
  { name, onError }: ConnectionListener,
  nodes: () => Redis[],
): Redis {
  const subscriber = new Redis({
    ...addressOf(settings.url),
    ...connectionOptions,
    connectionName: name,
    autoResubscribe: false,
    retryStrategy: (attempt) => {
      const known = nodes();
      const { host, port } =
        known[Math.floor(Math.random() * known.length)]?.options ?? addressOf(settings.url);
      Object.assign(subscriber.options, { host, port }, subscriber.options.tls && { tls: tlsTo(host ?? '') });
      return reconnectDelayMs(attempt);
    },
  });
  subscriber.on('error', onError);
  return subscriber;
}

/** Resolves if any primary answers: while one is down the others still serve. */
export async function pingCluster(cluster: Cluster): Promise<unknown> {
  return Promise.any(cluster.nodes('master').map((node) => node.ping()));
}

function addressOf(text: string) {
  const url = new URL(text);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return {
    host,
    port: Number(url.port || 6379),
    ...(url.username !== '' && { username: decodeURIComponent(url.username) }),
    ...(url.password !== '' && { password: decodeURIComponent(url.password) }),
    ...(url.protocol === 'rediss:' && { tls: tlsTo(host) }),
  };
}

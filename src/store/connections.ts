import type { Redis } from 'ioredis';
import type { JourneyRules } from '../journeys/journey.js';
import { ChangeFeed } from './change-feed.js';
import { createClusterClient, createClusterSubscriber, pingCluster } from './cluster-connection.js';
import {
  createClient,
  createSubscriber,
  type ConnectionListener,
  type RedisCommands,
  type RedisSettings,
} from './connection.js';
import type { LifecycleConnection } from './journey-store.js';
import { Partitions, SINGLE_REDIS } from './partitions.js';
import { ReplicaAcknowledgement } from './replica-acknowledgement.js';
import { withScripts, type JourneyScripts } from './scripts.js';

/** All connections to Redis, be it a single one or a cluster. */
export interface RedisConnections {
  redis: RedisCommands & JourneyScripts;
  partitions: Partitions;
  /** For starts and ends that must be on replicas before they are acknowledged. */
  lifecycle: LifecycleConnection | undefined;
  changes: ChangeFeed;
  /** The reader blocks on the outbox; null in a cluster, where no command blocks on several slots. */
  single: { redis: Redis & JourneyScripts; reader: Redis } | null;
  /** Resolves if Redis can serve. */
  ping(): Promise<unknown>;
  /** Never rejects: a Redis that is unavailable is connected to in the background. */
  connect(): Promise<void>;
  disconnect(): void;
}

export interface ConnectionsDependencies {
  /** partitions: of a cluster's keys; null for a single Redis. */
  settings: RedisSettings & { partitions: number | null; waitReplicas: number };
  rules: JourneyRules;
  onError: (connection: string) => (error: Error) => void;
}

export function redisConnections(dependencies: ConnectionsDependencies): RedisConnections {
  const { partitions } = dependencies.settings;
  return partitions === null ? ofSingleRedis(dependencies) : ofCluster(dependencies, partitions);
}

function ofSingleRedis(dependencies: ConnectionsDependencies): RedisConnections {
  const { settings, rules, onError } = dependencies;
  const redis = withScripts(createClient(settings, commandListener(onError)), rules);
  const reader = createClient(settings, listenerOf('relay', onError));
  const changes = new ChangeFeed(createSubscriber(settings, listenerOf('changes', onError)));
  const lifecycle =
    settings.waitReplicas === 0
      ? undefined
      : withScripts(createClient(settings, listenerOf('lifecycle', onError)), rules);
  return {
    redis,
    partitions: SINGLE_REDIS,
    lifecycle: lifecycle && acknowledged(lifecycle, settings),
    changes,
    single: { redis, reader },
    ping: () => redis.ping(),
    connect: async () => {
      await Promise.allSettled([redis.connect(), reader.connect(), changes.start(), lifecycle?.connect()]);
    },
    disconnect: () => {
      changes.stop();
      redis.disconnect();
      lifecycle?.disconnect();
    },
  };
}

function ofCluster({ settings, rules, onError }: ConnectionsDependencies, count: number): RedisConnections {
  const cluster = withScripts(createClusterClient(settings, commandListener(onError)), rules);
  const subscriber = createClusterSubscriber(settings, listenerOf('changes', onError), () => cluster.nodes());
  const changes = new ChangeFeed(subscriber);
  return {
    redis: cluster,
    partitions: new Partitions(count),
    // Config refuses it: ioredis cannot send a WAIT to the node to which a command was redirected.
    lifecycle: undefined,
    changes,
    single: null,
    ping: () => pingCluster(cluster),
    connect: async () => {
      await Promise.allSettled([cluster.connect(), changes.start()]);
    },
    disconnect: () => {
      changes.stop();
      cluster.disconnect();
    },
  };
}

type OnError = ConnectionsDependencies['onError'];

function commandListener(onError: OnError): ConnectionListener {
  return { name: 'admin-service', onError: onError('commands') };
}

function listenerOf(connection: string, onError: OnError): ConnectionListener {
  return { name: `admin-service-${connection}`, onError: onError(connection) };
}

function acknowledged(
  redis: Redis & JourneyScripts,
  { waitReplicas, commandTimeoutMs }: ConnectionsDependencies['settings'],
): LifecycleConnection {
  // Half of the timeout, so that a command queued behind a failed WAIT can still meet its own.
  const waitMs = Math.floor(commandTimeoutMs / 2);
  const replicas = new ReplicaAcknowledgement({ redis, replicas: waitReplicas, waitMs });
  return { redis, confirm: () => replicas.confirm() };
}

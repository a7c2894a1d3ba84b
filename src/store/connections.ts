import type { Redis } from 'ioredis';
import type { JourneyRules } from '../journeys/journey.js';
import { ChangeFeed } from './change-feed.js';
import { connectForListeningToAny, connectToCluster, pingCluster } from './cluster-connection.js';
import {
  connect,
  connectForListening,
  connectForWaiting,
  type RedisCommands,
  type RedisSettings,
} from './connection.js';
import type { LifecycleConnection } from './journey-store.js';
import { Partitions, SINGLE_REDIS } from './partitions.js';
import { ReplicaAcknowledgement } from './replica-acknowledgement.js';
import { withScripts, type JourneyScripts } from './scripts.js';

/** All that the service has of Redis, whether it is one or a cluster. */
export interface RedisConnections {
  redis: RedisCommands & JourneyScripts;
  partitions: Partitions;
  /** For starts and ends, where they are to be on replicas before they are acknowledged. */
  lifecycle: LifecycleConnection | undefined;
  changes: ChangeFeed;
  /** Blocks on the outbox's stream; null in a cluster, where nothing can block on several slots. */
  single: { redis: Redis; reader: Redis } | null;
  /** Resolves where Redis can serve. */
  ping(): Promise<unknown>;
  /** A Redis that is away at the start comes later. */
  connect(): Promise<void>;
  disconnect(): void;
}

export interface ConnectionsDependencies {
  /** partitions: into how many a cluster's keys are divided; null: it is one Redis. */
  settings: RedisSettings & { partitions: number | null; waitReplicas: number };
  rules: JourneyRules;
  /** How long the outbox may wait on the server for a new event. */
  readWaitMs: number;
  onError: (connection: string) => (error: Error) => void;
}

export function redisConnections(dependencies: ConnectionsDependencies): RedisConnections {
  const { partitions } = dependencies.settings;
  return partitions === null ? ofOneRedis(dependencies) : ofACluster(dependencies, partitions);
}

function ofOneRedis({ settings, rules, readWaitMs, onError }: ConnectionsDependencies): RedisConnections {
  const redis = withScripts(connect(settings, 'admin-service', onError('commands')), rules);
  const reader = connectForWaiting(settings, 'admin-service-relay', readWaitMs, onError('relay'));
  const changes = new ChangeFeed(connectForListening(settings, 'admin-service-changes', onError('changes')));
  const lifecycle =
    settings.waitReplicas === 0
      ? undefined
      : withScripts(connect(settings, 'admin-service-lifecycle', onError('lifecycle')), rules);
  return {
    redis,
    partitions: SINGLE_REDIS,
    lifecycle: lifecycle && acknowledged(lifecycle, settings),
    changes,
    single: { redis, reader },
    ping: () => redis.ping(),
    connect: () =>
      allTried([
        redis.connect(),
        reader.connect(),
        changes.start(),
        ...(lifecycle ? [lifecycle.connect()] : []),
      ]),
    disconnect: () => {
      changes.stop();
      redis.disconnect();
      lifecycle?.disconnect();
    },
  };
}

function ofACluster({ settings, rules, onError }: ConnectionsDependencies, count: number): RedisConnections {
  const cluster = withScripts(connectToCluster(settings, 'admin-service', onError('commands')), rules);
  const partitions = new Partitions(count);
  const nodes = () => cluster.nodes();
  const changes = new ChangeFeed(
    connectForListeningToAny(settings, 'admin-service-changes', nodes, onError('changes')),
  );
  return {
    redis: cluster,
    partitions,
    // The settings do not allow it: ioredis cannot send a WAIT after a command that a node sent on to another.
    lifecycle: undefined,
    changes,
    single: null,
    ping: () => pingCluster(cluster),
    connect: () => allTried([cluster.connect(), changes.start()]),
    disconnect: () => {
      changes.stop();
      cluster.disconnect();
    },
  };
}

function acknowledged(
  redis: Redis & JourneyScripts,
  { waitReplicas, commandTimeoutMs }: ConnectionsDependencies['settings'],
): LifecycleConnection {
  // Half of the time limit: what waits behind one that fails can still be done in its own.
  const waitMs = Math.floor(commandTimeoutMs / 2);
  const replicas = new ReplicaAcknowledgement({ redis, replicas: waitReplicas, waitMs });
  return { redis, confirm: () => replicas.confirm() };
}

async function allTried(work: Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(work);
}

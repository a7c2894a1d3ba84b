import { z } from 'zod';
import { integer, text } from './fields.js';

/** ElastiCache's versions that have all commands of the service. */
export const engineVersions = {
  valkey: { standard: '7.2', supported: /^(7\.2|[89]\.\d)$/, meaning: '7.2 or later' },
  redis: { standard: '7.1', supported: /^7\.[01]$/, meaning: '7.0 or 7.1' },
} as const;

/** Redis of a stage, whose defaults are given. */
export const redisOf = (defaults: { redisNodeType: string; shards: number; snapshotDays: number }) =>
  z
    .strictObject({
      engine: z.enum(['valkey', 'redis'], { error: 'must be valkey or redis' }).default('valkey'),
      /** Default: 7.2 of Valkey, 7.1 of Redis. */
      version: text(/^\d\.\d$/, 'must be a version such as 7.2').optional(),
      nodeType: text(/^cache\.[a-z0-9]+\.[a-z0-9]+$/, 'must be a node type such as cache.m7g.large').default(
        defaults.redisNodeType,
      ),
      /** Primaries. From two on Redis is a cluster; changing between one and several replaces it. */
      shards: integer(1, 250).default(defaults.shards),
      replicasPerShard: integer(1, 5).default(1),
      /** Of the keys in a cluster. It must not change while journeys exist, so it does not follow the shards. */
      partitions: integer(1, 1_024).default(64),
      /** Which nodes have a start or an end before it is acknowledged. */
      acknowledge: z.enum(['primary', 'replica'], { error: 'must be primary or replica' }).default('primary'),
      snapshotDays: integer(1, 35).default(defaults.snapshotDays),
      /** Changing or removing it replaces Redis; the old one is deleted after a final snapshot. */
      restoreFrom: text(/^[a-z][\w:.-]{0,254}$/i, 'must be the name of a snapshot').optional(),
    })
    .prefault({});

export interface RedisTogether {
  engine: keyof typeof engineVersions;
  version?: string | undefined;
  shards: number;
  replicasPerShard: number;
  partitions: number;
  acknowledge: 'primary' | 'replica';
}

const PARTITIONS_PER_SHARD = 10;

/** Problems of valid settings that contradict each other. */
export function redisProblems(redis: RedisTogether): [name: string, message: string][] {
  const { engine, version, shards, replicasPerShard, partitions, acknowledge } = redis;
  const { supported, meaning } = engineVersions[engine];
  const problems: [condition: boolean, name: string, message: string][] = [
    [
      version !== undefined && !supported.test(version),
      'version',
      `must be ${meaning} with engine ${engine}`,
    ],
    [
      shards > 1 && partitions < PARTITIONS_PER_SHARD * shards,
      'partitions',
      `must be at least ${PARTITIONS_PER_SHARD} per shard, ${PARTITIONS_PER_SHARD * shards}, or the shards get unequal shares`,
    ],
    [
      acknowledge === 'replica' && shards > 1,
      'acknowledge',
      'must be primary with several shards: the service cannot wait for the replicas of a cluster',
    ],
    [
      acknowledge === 'replica' && replicasPerShard < 2,
      'replicasPerShard',
      'must be at least 2 with acknowledge replica: with one, its restart would stop all writes',
    ],
  ];
  return problems.flatMap(([applies, name, message]) => (applies ? [[name, message]] : []));
}

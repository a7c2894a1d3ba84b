import { PostgreSqlContainer } from '@testcontainers/postgresql';
import { RedisContainer } from '@testcontainers/redis';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { getContainerRuntimeClient, ImageName } from 'testcontainers';
import { startLocalPostgres } from '../../src/dev/servers/local-postgres.js';
import { startLocalRedis } from '../../src/dev/servers/local-redis.js';
import { startReaper } from '../../src/dev/servers/reaper.js';
import type { LocalServer } from '../../src/dev/servers/server-process.js';
import { wantsCluster, wantsClusterTls } from './shared-services.js';
import { startRedisCluster } from './redis-cluster.js';
import { redisImage, redisProgramOf } from './private-redis.js';

const REDIS_IMAGE = redisImage ?? 'redis:7-alpine';
const POSTGRES_IMAGE = 'postgres:16-alpine';
const schemaFile = join(import.meta.dirname, '../../docker/postgres/schema.sql');

export interface RealServices {
  redisUrl: string;
  databaseUrl: string;
  /** For the first line of the run. */
  means: string;
  stop(): Promise<void>;
}

/**
 * The Redis and the Postgres that the whole run shares: those that TEST_REDIS_URL and TEST_DATABASE_URL name, else
 * containers, else servers of this machine, as `npm run dev` starts them. TEST_SERVICES says which of the last two.
 */
export async function startRealServices(): Promise<RealServices> {
  const services = givenServices() ?? (await servicesOf(process.env['TEST_SERVICES'] ?? ''));
  await applySchema(services.databaseUrl);
  return services;
}

async function servicesOf(wanted: string): Promise<RealServices> {
  if (!['', 'containers', 'local'].includes(wanted)) {
    throw new Error(`TEST_SERVICES is "${wanted}", but has to be containers or local.`);
  }
  const inContainers = wanted === 'local' || wantsCluster ? undefined : await containers();
  if (inContainers === undefined && wanted === 'containers') {
    throw new Error(`TEST_SERVICES is containers, but no engine has ${REDIS_IMAGE} and ${POSTGRES_IMAGE}.`);
  }
  return inContainers ?? (await localServers());
}

function givenServices(): RealServices | undefined {
  const { TEST_REDIS_URL: redisUrl, TEST_DATABASE_URL: databaseUrl } = process.env;
  if (redisUrl === undefined && databaseUrl === undefined) return undefined;
  if (redisUrl === undefined || databaseUrl === undefined) {
    throw new Error('Set both TEST_REDIS_URL and TEST_DATABASE_URL, or neither.');
  }
  return {
    redisUrl,
    databaseUrl,
    means: 'TEST_REDIS_URL and TEST_DATABASE_URL',
    stop: () => Promise.resolve(),
  };
}

/** Undefined without a container engine or without the images. */
async function containers(): Promise<RealServices | undefined> {
  if (!(await canRun([REDIS_IMAGE, POSTGRES_IMAGE]))) return undefined;
  // The run stops its own containers, so the image of the cleaner is not needed.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true';
  const [redis, postgres] = await Promise.all([
    new RedisContainer(REDIS_IMAGE).withCommand([redisProgramOf(REDIS_IMAGE)]).start(),
    new PostgreSqlContainer(POSTGRES_IMAGE).withCommand(['postgres', '-c', 'max_connections=300']).start(),
  ]);
  return {
    redisUrl: redis.getConnectionUrl(),
    databaseUrl: postgres.getConnectionUri(),
    means: `Testcontainers (${REDIS_IMAGE}, ${POSTGRES_IMAGE})`,
    stop: async () => {
      await Promise.all([redis.stop(), postgres.stop()]);
    },
  };
}

async function canRun(images: string[]): Promise<boolean> {
  try {
    const client = await getContainerRuntimeClient();
    for (const image of images) {
      const name = ImageName.fromString(image);
      if (!(await client.image.exists(name))) await client.image.pull(name);
    }
    return true;
  } catch {
    return false;
  }
}

async function localServers(): Promise<RealServices> {
  const reaper = startReaper();
  const say = (line: string) => {
    process.stderr.write(`${line}\n`);
  };
  const [redis, postgres] = await Promise.all([
    wantsCluster ? clusterOfThisMachine() : startLocalRedis({ reaper, say }),
    startLocalPostgres({ reaper, say }),
  ]);
  return {
    redisUrl: redis.url,
    databaseUrl: postgres.url,
    means: `this machine (${redis.means}, ${postgres.means})`,
    stop: async () => {
      await Promise.all([redis.stop(), postgres.stop()]);
      reaper.close();
    },
  };
}

async function clusterOfThisMachine(): Promise<Pick<LocalServer, 'url' | 'means' | 'stop'>> {
  const cluster = await startRedisCluster({ tls: wantsClusterTls });
  const means = `a Redis Cluster of six processes${wantsClusterTls ? ' with TLS' : ''}`;
  return { url: cluster.url, means, stop: () => cluster.stop() };
}

async function applySchema(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(readFileSync(schemaFile, 'utf8'));
  } finally {
    await client.end();
  }
}

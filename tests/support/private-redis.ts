import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { answersPing, startLocalRedis } from '../../src/dev/servers/local-redis.js';
import { makeTemporaryFolder, startReaper, type Reaper } from '../../src/dev/servers/reaper.js';
import {
  findProgram,
  freePort,
  startServerProcess,
  untilReady,
  type ServerProcess,
} from '../../src/dev/servers/server-process.js';
import { docker, isGone, newName } from './container.js';

/** The image of every Redis of the run; undefined: a local server or the default image. */
export const redisImage = process.env['TEST_REDIS_IMAGE'];

/** The server in an image of Redis or of Valkey. */
export function redisProgramOf(image: string): string {
  return image.includes('valkey') ? 'valkey-server' : 'redis-server';
}

/** Undefined where Redis runs in a container whose process tests cannot signal. */
export const redisProgram = findProgram('redis-server') ?? findProgram('valkey-server');

/** A Redis of one test file, whose data may be lost and whose process may be stopped or killed. */
export interface PrivateRedis {
  url: string;
  client: Redis;
  /** The process hangs: connections stay open, and nothing is answered. */
  freeze(): void;
  thaw(): void;
  kill(): Promise<void>;
  /** A new process on the same port, with the data of the one before or without. */
  startAgain(options: { withData: boolean }): Promise<void>;
  stop(): Promise<void>;
}

/** cluster: the only node of a cluster, without slots. */
export async function startPrivateRedis({ cluster = false } = {}): Promise<PrivateRedis> {
  const reaper = startReaper();
  if (redisProgram === undefined && redisImage === undefined) {
    const server = await startLocalRedis({ reaper });
    const client = clientOf(server.url);
    const unavailable = () => {
      throw new Error('the process of this Redis cannot be signalled');
    };
    return {
      url: server.url,
      client,
      freeze: unavailable,
      thaw: unavailable,
      kill: unavailable,
      startAgain: unavailable,
      stop: async () => {
        client.disconnect();
        await server.stop();
        reaper.close();
      },
    };
  }

  const folder = makeTemporaryFolder(reaper, 'private-redis');
  const password = randomBytes(12).toString('hex');
  const port = await freePort();
  const url = `redis://:${password}@127.0.0.1:${port}`;
  let data = '';
  const start = async (withData: boolean): Promise<RedisProcess> => {
    if (!withData) data = mkdtempSync(join(folder.path, 'data-'));
    const settings = [
      ...['bind 127.0.0.1', `port ${port}`, `dir "${data}"`, `requirepass ${password}`, 'save ""'],
      // Written before the answer, so that a kill loses nothing.
      ...['appendonly yes', 'appendfsync no'],
      ...(cluster ? ['cluster-enabled yes', `cluster-port ${await freePort()}`] : []),
    ];
    const started = await startRedisProcess(settings.join('\n'), folder.path, reaper);
    await untilReady(started, () => answersPing(url));
    return started;
  };
  let server = await start(false);
  const client = clientOf(url);
  return {
    url,
    client,
    freeze: () => server.signal('SIGSTOP'),
    thaw: () => {
      if (!server.hasEnded()) server.signal('SIGCONT');
    },
    kill: async () => {
      server.signal('SIGKILL');
      await server.ended;
    },
    startAgain: async ({ withData }) => {
      server = await start(withData);
    },
    stop: async () => {
      client.disconnect();
      await server.stop();
      await folder.remove();
      reaper.close();
    },
  };
}

interface RedisProcess extends ServerProcess {
  signal(signal: NodeJS.Signals): void;
}

async function startRedisProcess(settings: string, folder: string, reaper: Reaper): Promise<RedisProcess> {
  const common = { input: settings, stopSignal: 'SIGTERM' } as const;
  if (redisImage === undefined) {
    const started = await startServerProcess({ command: redisProgram ?? '', args: ['-'], ...common }, reaper);
    return { ...started, signal: (signal) => void process.kill(started.pid, signal) };
  }
  const name = newName();
  // As the user of the tests, who removes its files.
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  const args = [
    ...['run', '--rm', '--interactive', '--name', name, '--network', 'host', '--user', user],
    ...['--volume', `${folder}:${folder}`, '--entrypoint', redisProgramOf(redisImage), redisImage, '-'],
  ];
  const started = await startServerProcess({ command: 'docker', args, ...common }, reaper);
  void started.ended.then(() => isGone(name));
  return { ...started, signal: (signal) => void docker('kill', '--signal', signal, name) };
}

/** A client that reconnects whatever a test does to its server. */
export function clientOf(url: string): Redis {
  const client = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
  client.on('error', () => undefined);
  return client;
}

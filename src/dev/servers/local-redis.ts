import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { canInstall, installWithApt, redisAdvice } from './install-redis.js';
import { makeTemporaryFolder } from './reaper.js';
import {
  findProgram,
  firstThatWorks,
  freePort,
  startServerProcess,
  untilReady,
  type LocalServer,
  type LocalServerOptions,
} from './server-process.js';

/** A throw-away Redis that persists nothing and listens on 127.0.0.1 only. */
export function startLocalRedis(options: LocalServerOptions): Promise<LocalServer> {
  return firstThatWorks(
    'Redis',
    [
      { name: 'redis-server or valkey-server on the PATH', start: () => startInstalled(options) },
      { name: 'Docker', start: startContainer },
      {
        name: 'apt-get as root',
        start: async () => {
          if (!canInstall()) return undefined;
          await installWithApt(options);
          return startInstalled(options);
        },
      },
    ],
    redisAdvice(),
  );
}

async function startInstalled({ reaper }: LocalServerOptions): Promise<LocalServer | undefined> {
  const program = findProgram('redis-server') ?? findProgram('valkey-server');
  if (program === undefined) return undefined;
  const folder = makeTemporaryFolder(reaper, 'redis');
  // Every user of this machine can reach the port.
  const password = randomBytes(12).toString('hex');
  const port = await freePort();
  const settings = ['save ""', 'appendonly no', 'bind 127.0.0.1', `port ${port}`, `requirepass ${password}`];
  try {
    const server = await startServerProcess(
      {
        command: program,
        args: ['-'],
        input: [...settings, `dir "${folder.path}"`].join('\n'),
        stopSignal: 'SIGTERM',
        cwd: folder.path,
      },
      reaper,
    );
    const url = `redis://default:${password}@127.0.0.1:${port}`;
    await untilReady(server, () => answersPing(url));
    const stop = async () => {
      await server.stop();
      await folder.remove();
    };
    return { url, pid: server.pid, means: program, ended: server.ended.then(server.lastOutput), stop };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

async function startContainer(): Promise<LocalServer> {
  // Loaded only where it is needed: it is large.
  const { RedisContainer } = await import('@testcontainers/redis');
  const image = 'redis:7-alpine';
  const container = await new RedisContainer(image).withPassword(randomBytes(12).toString('hex')).start();
  return {
    url: container.getConnectionUrl(),
    pid: undefined,
    means: `Docker, ${image}`,
    ended: new Promise(() => undefined),
    stop: async () => {
      await container.stop();
    },
  };
}

/** @throws Error when no Redis answers at the URL within a second */
export async function answersPing(url: string): Promise<void> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 1_000,
    commandTimeout: 1_000,
    retryStrategy: () => null,
  });
  // The cause is in the event; the rejection says only that the connection is closed.
  let reason: Error | undefined;
  redis.on('error', (error) => {
    reason = error;
  });
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    throw reason ?? error;
  } finally {
    redis.disconnect();
  }
}

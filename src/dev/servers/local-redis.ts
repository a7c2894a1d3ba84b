import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { startContainer } from './docker-engine.js';
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

/** A throw-away Redis that keeps nothing on disk and listens on 127.0.0.1 only. */
export function startLocalRedis(options: LocalServerOptions): Promise<LocalServer> {
  const { reaper, say } = options;
  return firstThatWorks(
    'Redis',
    [
      { name: 'redis-server or valkey-server on the PATH', start: () => startInstalled(options) },
      { name: 'Docker', start: () => startInDocker(options) },
      {
        name: 'apt-get as root',
        start: async () => {
          if (!canInstall()) return undefined;
          await installWithApt(reaper, say);
          return startInstalled(options);
        },
      },
    ],
    redisAdvice(),
  );
}

/** Redis' settings; a password because every user of this machine reaches the port. */
const settings = (password: string, more: string[]) =>
  ['save ""', 'appendonly no', `requirepass ${password}`, ...more].join('\n');

// With the user's name, which redis-cli wants to see.
const urlWith = (password: string) => (port: number) => `redis://default:${password}@127.0.0.1:${port}`;

async function startInstalled({ reaper }: LocalServerOptions): Promise<LocalServer | undefined> {
  const program = findProgram('redis-server') ?? findProgram('valkey-server');
  if (program === undefined) return undefined;
  const folder = makeTemporaryFolder(reaper, 'redis');
  const password = randomBytes(12).toString('hex');
  try {
    const port = await freePort();
    const server = await startServerProcess(
      {
        command: program,
        args: ['-'],
        input: settings(password, ['bind 127.0.0.1', `port ${port}`, `dir "${folder.path}"`]),
        stopSignal: 'SIGTERM',
        cwd: folder.path,
      },
      reaper,
    );
    const url = urlWith(password)(port);
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

function startInDocker(options: LocalServerOptions): Promise<LocalServer | undefined> {
  const password = randomBytes(12).toString('hex');
  return startContainer(
    {
      image: 'redis:7-alpine',
      port: 6379,
      command: ['redis-server', '-'],
      environment: {},
      input: settings(password, ['bind 0.0.0.0']),
      urlAt: urlWith(password),
      isReady: answersPing,
    },
    options,
  );
}

/** Rejects when there is no Redis at the URL that answers within a second. */
export async function answersPing(url: string): Promise<void> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 1_000,
    commandTimeout: 1_000,
    retryStrategy: () => null,
  });
  // What went wrong is an event; the rejection says only that the connection is closed.
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

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { makeTemporaryFolder } from './reaper.js';
import {
  findProgram,
  freePort,
  startServerProcess,
  untilReady,
  type LocalServer,
  type LocalServerOptions,
} from './server-process.js';

const run = promisify(execFile);
const advice =
  'Install redis-server or valkey-server, or start Docker, or set REDIS_URL to a Redis that is running.';

/**
 * A throw-away Redis that persists nothing and listens on 127.0.0.1 only: an installed one, or one in a container, or
 * one that is installed for it.
 */
export async function startLocalRedis(options: LocalServerOptions): Promise<LocalServer> {
  const program = installedRedis();
  if (program !== undefined) return startProgram(program, options);
  try {
    return await startContainer();
  } catch (error) {
    if (process.getuid?.() !== 0 || findProgram('apt-get') === undefined) {
      throw new Error(`Could not start Redis in Docker. ${advice}`, { cause: error });
    }
  }
  options.say?.('installing Redis: apt-get install redis-server');
  await installWithApt();
  return startProgram(installedRedis() ?? 'redis-server', options);
}

function installedRedis(): string | undefined {
  return findProgram('redis-server') ?? findProgram('valkey-server');
}

/** Installs the program, without a system service that stays. */
async function installWithApt(): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = { env, maxBuffer: 16 * 1024 * 1024 };
  await run('apt-get', ['update'], options);
  await run('apt-get', ['install', '-y', '--no-install-recommends', 'redis-server'], options);
  if (existsSync('/run/systemd/system')) await run('systemctl', ['disable', '--now', 'redis-server']);
}

async function startProgram(program: string, { reaper }: LocalServerOptions): Promise<LocalServer> {
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

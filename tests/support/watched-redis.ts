import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { makeTemporaryFolder, startReaper, type Reaper } from '../../src/dev/servers/reaper.js';
import { freePort, startServerProcess, type ServerProcess } from '../../src/dev/servers/server-process.js';
import { clientOf, redisProgram } from './private-redis.js';
import { until } from './until.js';

const SENTINELS = 3;
const NAME = 'tested';
/** In bytes: of both ends of a connection. */
const MORE_THAN_SOCKETS_HOLD = 32 * 1024 * 1024;

/** A primary with a replica, watched by three sentinels, as processes of this machine. */
export interface WatchedRedis {
  /** The settings of a service that asks the sentinels. */
  settings: Record<string, string>;
  /** Kills the primary and resolves when its replica is the primary; the last `unreplicatedMs` of writes are lost. */
  failOver(unreplicatedMs?: number): Promise<void>;
  /** The killed process starts again as the replica of the other. */
  restoreReplica(): Promise<void>;
  primary(): Redis;
  stop(): Promise<void>;
}

interface Node {
  port: number;
  client: Redis;
  process: ServerProcess;
}

export async function startWatchedRedis(): Promise<WatchedRedis> {
  const reaper = startReaper();
  const folder = makeTemporaryFolder(reaper, 'watched-redis');
  const ports: number[] = [];
  for (let count = 0; count < 2 + SENTINELS; count++) ports.push(await freePort());
  const [first = 0, second = 0, ...sentinelPorts] = ports;
  let primary = await startNode(reaper, folder.path, first);
  let replica = await startNode(reaper, folder.path, second, first);
  const untilInStep = () =>
    until('the replica is in step', async () =>
      (await primary.client.info('replication')).includes('state=online'),
    );
  await untilInStep();
  const sentinels = await Promise.all(
    sentinelPorts.map((port) => startSentinel(reaper, folder.path, port, first)),
  );
  await until(
    'the sentinels know of each other and the replica',
    async () => {
      const infos = await Promise.all(sentinels.map(({ client }) => client.info('sentinel')));
      return infos.every((text) => text.includes(`slaves=1,sentinels=${SENTINELS}`));
    },
    20_000,
  );
  return {
    settings: {
      REDIS_URL: `redis://127.0.0.1:${first}`,
      REDIS_SENTINELS: sentinelPorts.map((port) => `127.0.0.1:${port}`).join(','),
      REDIS_SENTINEL_NAME: NAME,
    },
    failOver: async (unreplicatedMs = 0) => {
      // On a busy machine the sentinels may have changed the roles before.
      if ((await primary.client.info('replication')).includes('role:slave')) {
        [primary, replica] = [replica, primary];
        await untilInStep();
      }
      if (unreplicatedMs > 0) await holdUp(primary, replica, unreplicatedMs);
      process.kill(primary.process.pid, 'SIGKILL');
      await primary.process.ended;
      process.kill(replica.process.pid, 'SIGCONT');
      await until(
        'the replica has taken over',
        async () => (await replica.client.info('replication')).includes('role:master'),
        30_000,
      );
      primary.client.disconnect();
      [primary, replica] = [replica, primary];
    },
    restoreReplica: async () => {
      replica = await startNode(reaper, folder.path, replica.port, primary.port);
      await untilInStep();
    },
    primary: () => primary.client,
    stop: async () => {
      for (const { client, process: server } of [primary, replica, ...sentinels]) {
        client.disconnect();
        await server.stop();
      }
      await folder.remove();
      reaper.close();
    },
  };
}

/** Stops the replica and fills the socket's buffers, so that further writes do not reach it. */
async function holdUp(primary: Node, replica: Node, ms: number): Promise<void> {
  process.kill(replica.process.pid, 'SIGSTOP');
  await primary.client.set('filler', Buffer.alloc(MORE_THAN_SOCKETS_HOLD));
  await pause(ms);
}

async function startNode(reaper: Reaper, folder: string, port: number, of?: number): Promise<Node> {
  const settings = [
    'bind 127.0.0.1',
    `port ${port}`,
    'save ""',
    'appendonly no',
    'repl-diskless-sync-delay 0',
  ];
  if (of !== undefined) settings.push(`replicaof 127.0.0.1 ${of}`);
  return startFrom(reaper, folder, port, settings, []);
}

function startSentinel(reaper: Reaper, folder: string, port: number, primary: number): Promise<Node> {
  const settings = ['bind 127.0.0.1', `port ${port}`, `sentinel monitor ${NAME} 127.0.0.1 ${primary} 2`];
  // Short, so that a failover takes a second or two.
  const times = ['down-after-milliseconds', 'failover-timeout'].map(
    (each) => `sentinel ${each} ${NAME} 1000`,
  );
  return startFrom(reaper, folder, port, [...settings, ...times], ['--sentinel']);
}

async function startFrom(
  reaper: Reaper,
  folder: string,
  port: number,
  settings: string[],
  more: string[],
): Promise<Node> {
  const data = join(folder, String(port));
  mkdirSync(data, { recursive: true });
  // A file, because sentinels write into it.
  const file = join(data, 'redis.conf');
  writeFileSync(file, [...settings, `dir "${data}"`].join('\n'));
  const process = await startServerProcess(
    { command: redisProgram ?? '', args: [file, ...more], stopSignal: 'SIGTERM' },
    reaper,
  );
  const client = clientOf(`redis://127.0.0.1:${port}`);
  await client.ping();
  return { port, client, process };
}

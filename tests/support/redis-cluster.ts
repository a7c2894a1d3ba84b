import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { Cluster, type ClusterOptions, type Redis } from 'ioredis';
import { answersPing } from '../../src/dev/servers/local-redis.js';
import { makeTemporaryFolder, startReaper, type Reaper } from '../../src/dev/servers/reaper.js';
import {
  freePort,
  startServerProcess,
  untilReady,
  type ServerProcess,
} from '../../src/dev/servers/server-process.js';
import { clientOf, redisProgram } from './private-redis.js';
import { authority, certificate } from './tls-proxy.js';
import { until } from './until.js';

const SLOTS = 16_384;

const PRIMARIES = 3;
/** Short, so that a failover takes a second or two; the others serve meanwhile. */
const NODE_TIMEOUT_MS = 1_000;

export interface ClusterNode {
  port: number;
  /** To this node alone. */
  client: Redis;
  id(): Promise<string>;
  kill(): Promise<void>;
  startAgain(): Promise<void>;
}

export interface SlotMigration {
  to: ClusterNode;
  /** Moves up to so many keys; returns how many. */
  moveKeys(count: number): Promise<number>;
  /** Moves what is left, and closes the slot. */
  finish(): Promise<void>;
}

/** Three primaries with a replica each, as processes of this machine. */
export interface RedisCluster {
  url: string;
  client: Cluster;
  /** The first three started as primaries, each with the one three later as its replica. */
  nodes: ClusterNode[];
  /** The primary that has the slot by now, as all nodes that run say. */
  ownerOf(slot: number): Promise<ClusterNode>;
  /** All nodes know of all others again, and replicas have the data of their primaries. */
  untilSettled(): Promise<void>;
  /** Opens a slot for its way to another primary, as redis-cli does it; nothing has moved yet. */
  beginMigration(slot: number): Promise<SlotMigration>;
  stop(): Promise<void>;
}

/** tls: for clients that trust the authority of the tests (NODE_EXTRA_CA_CERTS), and between the nodes. */
export async function startRedisCluster({ tls = false } = {}): Promise<RedisCluster> {
  const program = redisProgram;
  if (program === undefined) throw new Error('a cluster takes redis-server or valkey-server on the PATH');
  const reaper = startReaper();
  const folder = makeTemporaryFolder(reaper, 'redis-cluster');
  const password = randomBytes(12).toString('hex');
  const ports: [port: number, busPort: number][] = [];
  for (let count = 0; count < 2 * PRIMARIES; count++) ports.push([await freePort(), await freePort()]);
  const surroundings = { program, reaper, password, folder: folder.path, tls };
  const started = await Promise.all(ports.map((each) => startNode(surroundings, each)));
  await joinAsOne(started);
  const [first] = started as [StartedNode];
  const url = urlOf(surroundings, first.port);
  const client = clusterClientOf(url, { retryDelayOnFailover: 100, clusterRetryStrategy: () => 100 });
  client.on('error', () => undefined);
  await client.ping();
  return {
    url,
    client,
    nodes: started,
    ownerOf: (slot) => ownerOf(started, slot),
    untilSettled: async () => {
      await Promise.all(started.map(untilSettled));
    },
    beginMigration: (slot) => beginMigration(started, slot, password),
    stop: async () => {
      client.disconnect();
      await Promise.all(started.map((node) => node.stop()));
      await folder.remove();
      reaper.close();
    },
  };
}

interface StartedNode extends ClusterNode {
  busPort: number;
  stop(): Promise<void>;
}

interface Surroundings {
  program: string;
  reaper: Reaper;
  password: string;
  folder: string;
  tls: boolean;
}

function urlOf({ tls, password }: Surroundings, port: number): string {
  // The certificate names localhost.
  return tls ? `rediss://:${password}@localhost:${port}` : `redis://:${password}@127.0.0.1:${port}`;
}

/** A client as another service has it, of a cluster with or without TLS. */
export function clusterClientOf(url: string, options: ClusterOptions = {}): Cluster {
  const { protocol, hostname, port, password } = new URL(url);
  return new Cluster([{ host: hostname, port: Number(port) }], {
    ...options,
    dnsLookup: (address, done) => {
      done(null, address);
    },
    redisOptions: { password, ...(protocol === 'rediss:' && { tls: {} }) },
  });
}

/** Certificates name hosts, so the nodes announce theirs. */
function tlsSettings(port: number): string[] {
  return [
    ...['port 0', `tls-port ${port}`, 'tls-cluster yes', 'tls-replication yes', 'tls-auth-clients no'],
    ...[`tls-ca-cert-file "${authority.file}"`, `tls-cert-file "${certificate.cert}"`],
    ...[`tls-key-file "${certificate.key}"`, 'cluster-announce-hostname localhost'],
    'cluster-preferred-endpoint-type hostname',
  ];
}

async function startNode(
  surroundings: Surroundings,
  [port, busPort]: [number, number],
): Promise<StartedNode> {
  const { program, reaper, password, folder, tls } = surroundings;
  const data = mkdtempSync(join(folder, 'node-'));
  const settings = [
    ...['bind 127.0.0.1', `dir "${data}"`, ...(tls ? tlsSettings(port) : [`port ${port}`])],
    ...[`requirepass ${password}`, `masterauth ${password}`],
    ...['save ""', 'appendonly no', 'repl-diskless-sync-delay 0', 'repl-ping-replica-period 1'],
    ...['cluster-enabled yes', `cluster-port ${busPort}`, `cluster-node-timeout ${NODE_TIMEOUT_MS}`],
    ...['cluster-require-full-coverage no', 'cluster-replica-validity-factor 0'],
  ];
  const url = urlOf(surroundings, port);
  const start = async (): Promise<ServerProcess> => {
    const server = await startServerProcess(
      { command: program, args: ['-'], input: settings.join('\n'), stopSignal: 'SIGTERM' },
      reaper,
    );
    await untilReady(server, () => answersPing(url));
    return server;
  };
  let server = await start();
  const client = clientOf(url);
  return {
    port,
    busPort,
    client,
    id: () => client.cluster('MYID'),
    kill: async () => {
      process.kill(server.pid, 'SIGKILL');
      await server.ended;
    },
    startAgain: async () => {
      server = await start();
    },
    stop: async () => {
      client.disconnect();
      await server.stop();
    },
  };
}

/** Makes one cluster of nodes that know nothing of each other, its slots in three equal parts. */
async function joinAsOne(nodes: StartedNode[]): Promise<void> {
  const [first, ...others] = nodes as [StartedNode, ...StartedNode[]];
  for (const [index, { client }] of nodes.entries()) await client.cluster('SET-CONFIG-EPOCH', index + 1);
  for (const { port, busPort } of others)
    await first.client.call('CLUSTER', 'MEET', '127.0.0.1', port, busPort);
  const each = Math.ceil(SLOTS / PRIMARIES);
  for (const [index, { client }] of nodes.slice(0, PRIMARIES).entries()) {
    const last = Math.min(SLOTS, (index + 1) * each) - 1;
    await client.call('CLUSTER', 'ADDSLOTSRANGE', index * each, last);
  }
  for (const [index, { client }] of nodes.slice(PRIMARIES).entries()) {
    const id = await (nodes[index] as StartedNode).id();
    await until('the replica knows its primary', async () =>
      String(await client.cluster('NODES')).includes(id),
    );
    await client.cluster('REPLICATE', id);
  }
  await Promise.all(nodes.map(untilSettled));
}

/** Until the node knows of all slots and all replicas, and has the data of its primary where it is a replica. */
async function untilSettled({ client }: ClusterNode): Promise<void> {
  await until(
    'the cluster is settled',
    async () => {
      const [info, nodes, replication] = await Promise.all([
        client.cluster('INFO'),
        client.cluster('NODES'),
        client.info('replication'),
      ]);
      const replicas = String(nodes)
        .split('\n')
        .filter((line) => line.includes('slave'));
      return (
        info.includes('cluster_state:ok') &&
        replicas.length === PRIMARIES &&
        (replication.includes('role:master') || replication.includes('master_link_status:up'))
      );
    },
    20_000,
  );
}

async function ownerOf(nodes: ClusterNode[], slot: number): Promise<ClusterNode> {
  return until(
    `all agree on who has slot ${slot}`,
    async () => {
      const running = nodes.filter(({ client }) => client.status === 'ready');
      const said = await Promise.all(running.map(({ client }) => ownersPort(client, slot)));
      return new Set(said).size === 1 && nodes.find(({ port }) => port === said[0]);
    },
    20_000,
  );
}

async function ownersPort(client: Redis, slot: number): Promise<number | undefined> {
  const ranges = await client.cluster('SLOTS');
  return ranges.find(([first, last]) => first <= slot && slot <= last)?.[2]?.[1];
}

async function beginMigration(nodes: ClusterNode[], slot: number, password: string): Promise<SlotMigration> {
  const from = await ownerOf(nodes, slot);
  const owners = await Promise.all([0, SLOTS / 2, SLOTS - 1].map((each) => ownerOf(nodes, each)));
  const to = owners.find((owner) => owner !== from);
  if (to === undefined) throw new Error('there is no other primary');
  const [fromId, toId] = await Promise.all([from.id(), to.id()]);
  await to.client.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
  await from.client.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
  const moveKeys = async (count: number): Promise<number> => {
    const keys = (await from.client.call('CLUSTER', 'GETKEYSINSLOT', slot, count)) as string[];
    const target = ['127.0.0.1', to.port, '', 0, 5_000, 'AUTH', password, 'KEYS'];
    if (keys.length > 0) await from.client.call('MIGRATE', ...target, ...keys);
    return keys.length;
  };
  return {
    to,
    moveKeys,
    finish: async () => {
      while ((await moveKeys(100)) > 0);
      for (const { client } of [to, from]) await client.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
      await ownerOf(nodes, slot);
    },
  };
}

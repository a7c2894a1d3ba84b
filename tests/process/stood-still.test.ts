import { startLocalEventBus, type LocalEventBus } from '../../src/dev/event-bus/local-event-bus.js';
import { aSession, type ASession } from '../support/a-session.js';
import { fiveCalls } from '../support/five-calls.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { runServiceProcess, type ServiceProcess } from '../support/service-process.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

const TIMEOUT_MS = 800;
const POLLS = 5;
/** The journey and its location, of each poll: polls that came together share a call. */
const READS = 2 * POLLS;

let bus: LocalEventBus;
let redis: PrivateRedis;
let network: TcpProxy;
let service: ServiceProcess;
let session: ASession;
beforeAll(async () => {
  bus = await startLocalEventBus();
  redis = await startPrivateRedis();
  network = await startTcpProxy(redis.url);
  service = await runServiceProcess(bus, {
    REDIS_URL: network.urlFor(redis.url),
    REDIS_COMMAND_TIMEOUT_MS: String(TIMEOUT_MS),
  });
  session = await aSession();
  expect((await fiveCalls.start(service.url, session)).status).toBe(201);
});
afterAll(async () => {
  service.kill('SIGKILL');
  await service.exited;
  await network.stop();
  await redis.stop();
  await bus.stop();
});

test('a process that stood still for longer than Redis may take serves what Redis has answered meanwhile, on the same connection', async () => {
  // On a machine that is busy otherwise Redis may be late itself; then nothing is said about the process.
  const { answers, connections } = await until('Redis was in time', pollsAmidAStandstill, 25_000);
  expect(answers.map(({ status }) => status)).toEqual(Array<number>(POLLS).fill(200));
  expect(new Set(connections).size).toBe(1);
});

/** Undefined where Redis had not answered all of them before the process stood still. */
async function pollsAmidAStandstill() {
  await until('it serves', async () => (await fiveCalls.live(service.url, session)).status === 200);
  const [before, connection] = [await readsMade(), await connectionId()];
  network.freeze('answers');
  const askedAtMs = performance.now();
  const polls = Array.from({ length: POLLS }, () => fiveCalls.live(service.url, session));
  while ((await readsMade()) < before + READS && performance.now() < askedAtMs + TIMEOUT_MS);
  service.kill('SIGSTOP');
  const wasInTime = (await readsMade()) >= before + READS && performance.now() < askedAtMs + TIMEOUT_MS;
  network.heal();
  await until('all of them are overdue', () => performance.now() > askedAtMs + 1.5 * TIMEOUT_MS);
  service.kill('SIGCONT');
  const answers = await Promise.all(polls);
  return wasInTime ? { answers, connections: [connection, await connectionId()] } : undefined;
}

test('of a Redis that has not answered by then nothing is waited for', async () => {
  network.freeze();
  const poll = fiveCalls.live(service.url, session);
  const answer = await poll;
  network.heal();
  expect(answer).toMatchObject({ status: 503, code: 'STATE_UNAVAILABLE' });
  await until('it is served again', async () => (await fiveCalls.live(service.url, session)).status === 200);
});

async function readsMade(): Promise<number> {
  const stats = await redis.client.info('commandstats');
  return Number(/cmdstat_get:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}

async function connectionId(): Promise<string | undefined> {
  const list = String(await redis.client.client('LIST'));
  return /id=(\d+) .*name=admin-service /.exec(list)?.[1];
}

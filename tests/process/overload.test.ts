import { startLocalEventBus, type LocalEventBus } from '../../src/dev/event-bus/local-event-bus.js';
import { aSession, type ASession } from '../support/a-session.js';
import { fiveCalls } from '../support/five-calls.js';
import { PipelinedConnection, type PipelinedAnswer } from '../support/raw-http.js';
import { metric } from '../support/running-service.js';
import { runServiceProcess, type ServiceProcess } from '../support/service-process.js';
import { until } from '../support/until.js';

jest.setTimeout(90_000);

const CONNECTIONS = 150;
const REQUESTS_EACH = 130;

let bus: LocalEventBus;
let service: ServiceProcess;
let session: ASession;
let livePath: string;
let connections: PipelinedConnection[];
beforeAll(async () => {
  bus = await startLocalEventBus();
  service = await runServiceProcess(bus, { REDIS_COMMAND_TIMEOUT_MS: '800' });
  session = await aSession();
  livePath = `/api/v1/admin/location-tracking/journey/live?sessionId=${session.sessionId}`;
  expect((await fiveCalls.start(service.url, session)).status).toBe(201);
});
beforeEach(async () => {
  connections = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => PipelinedConnection.open(service.url)),
  );
});
afterEach(() => {
  service.kill('SIGCONT');
  for (const connection of connections) connection.close();
});
afterAll(async () => {
  service.kill('SIGKILL');
  await service.exited;
  await bus.stop();
});

test('a crowd is served, not refused', async () => {
  const answers = await answersToAFlood(livePath);
  const served = answers.filter(({ status }) => status === 200).length;
  // On a busy machine a call to Redis may time out.
  expect(served).toBeGreaterThan(0.8 * answers.length);
});

test('while there is too much to do, phones get a longer nextUpdateMs', async () => {
  await until(
    'the interval is stretched',
    async () => {
      await answersToAFlood(livePath);
      return (await metric(service, 'update_interval_stretch')) > 1.05;
    },
    50_000,
  );
  const another = await aSession();
  expect((await fiveCalls.start(service.url, another)).status).toBe(201);
  const { status, body } = await fiveCalls.update(service.url, another);
  expect({ status, body }).toMatchObject({ status: 201, body: { success: true } });
  expect((body as { data: { nextUpdateMs: number } }).data.nextUpdateMs).toBeGreaterThan(5_000);
});

test('health checks are answered however much there is to do, and afterwards requests are served again at once', async () => {
  const answers = await answersToAFlood('/health/live', 40);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect((await fiveCalls.live(service.url, session)).status).toBe(200);
});

/** The requests arrive at once, because the process is stopped meanwhile. */
async function answersToAFlood(path: string, requestsEach = REQUESTS_EACH): Promise<PipelinedAnswer[]> {
  for (const connection of connections) connection.forgetAnswers();
  service.kill('SIGSTOP');
  const paths = Array.from({ length: requestsEach }, () => path);
  await Promise.all(connections.map((connection) => connection.get(paths, session.studentToken)));
  service.kill('SIGCONT');
  const all = () => connections.flatMap((connection) => connection.answers());
  await until('all are answered', () => all().length === CONNECTIONS * requestsEach, 40_000);
  return all();
}

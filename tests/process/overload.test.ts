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

test('of more requests at once than can be served in time some are served, and the rest are refused with 503 and Retry-After, counted and logged', async () => {
  // On a busy machine all or none may be served.
  const answers = await until(
    'some are served, and some are not',
    async () => {
      const these = await answersToAFlood(livePath);
      const served = these.filter(({ status }) => status === 200).length;
      return served > 0 && served < these.length && these;
    },
    50_000,
  );
  const refused = answers.filter(({ status }) => status !== 200);
  expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([503]));
  const pauses = new Set(refused.map(({ headers }) => headers['retry-after']));
  // With jitter, so that they do not all retry together.
  expect([...pauses]).toEqual(expect.arrayContaining(['3', '4', '5', '6', '7']));
  expect(await metric(service, 'requests_shed_total')).toBeGreaterThan(0);
  const warnings = service.logLines().filter((line) => /shed|refused/i.test(JSON.stringify(line)));
  expect(warnings.length).toBeGreaterThan(0);
  expect(warnings.length).toBeLessThan(30);
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

import { once } from 'node:events';
import { connect } from 'node:net';
import { startLocalEventBus, type LocalEventBus } from '../../src/dev/event-bus/local-event-bus.js';
import { OUTBOX_KEY } from '../../src/store/keys.js';
import { aSession, type ASession } from '../support/a-session.js';
import { anActiveJourney, fiveCalls, liveUrl, timedGet } from '../support/five-calls.js';
import { connected, halfAnUpdate } from '../support/raw-http.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { runServiceProcess, type ServiceProcess } from '../support/service-process.js';
import { until } from '../support/until.js';

let redis: PrivateRedis;
let bus: LocalEventBus;
beforeAll(async () => {
  redis = await startPrivateRedis();
  bus = await startLocalEventBus();
});
afterAll(async () => {
  await bus.stop();
  await redis.stop();
});

const aService = (settings: Record<string, string> = {}) =>
  runServiceProcess(bus, { REDIS_URL: redis.url, ...settings });

test('on SIGTERM under load ready turns 503 at once, every request of the delay is served, the exit is 0 and no event is lost', async () => {
  const delayMs = 1_500;
  const service = await aService({ SHUTDOWN_DELAY_MS: String(delayMs) });
  const sessions = await Promise.all(Array.from({ length: 200 }, () => aSession()));
  const stillToStart = [...sessions];
  const started: ASession[] = [];
  const failures: unknown[] = [];
  let stoppedAt = Infinity;
  // Before the end of the delay, because a busy machine may send the last request late.
  const lastSendAt = () => stoppedAt + delayMs - 400;
  const caller = async () => {
    while (performance.now() < lastSendAt()) {
      const session = stillToStart.pop() ?? started[Math.floor(Math.random() * started.length)];
      if (session === undefined) return;
      const call = started.includes(session) ? fiveCalls.live : fiveCalls.start;
      await call(service.url, session).then(
        ({ status }) => {
          if (call === fiveCalls.start && status === 201) started.push(session);
          if (![200, 201, 409].includes(status)) failures.push(status);
        },
        (error: unknown) => failures.push(error),
      );
    }
  };
  const load = Promise.all(Array.from({ length: 8 }, caller));
  await until('the load is on', () => started.length > 20);
  service.kill('SIGTERM');
  stoppedAt = performance.now();
  const notReady = await until(
    'not ready',
    async () => {
      const ready = await timedGet(`${service.url}/health/ready`);
      return ready.status === 503 && ready;
    },
    1_000,
  );
  expect(notReady.body).toMatchObject({ error: { details: { status: 'draining' } } });
  await load;
  expect(failures).toEqual([]);
  expect(await service.exited).toEqual({ code: 0, signal: null });
  expect(performance.now() - stoppedAt).toBeGreaterThan(delayMs - 50);
  expect(performance.now() - stoppedAt).toBeLessThan(25_000);

  // What was not published by then is still there for the next one.
  const next = (await redis.client.xlen(OUTBOX_KEY)) > 0 ? await aService() : undefined;
  const eventIds = (sessionId: string) =>
    new Set(
      bus.received().flatMap(({ detail }) => (detail['sessionId'] === sessionId ? [detail['eventId']] : [])),
    );
  await until('an event of each start', () => started.every(({ sessionId }) => eventIds(sessionId).size > 0));
  expect(started.every(({ sessionId }) => eventIds(sessionId).size === 1)).toBe(true);
  next?.kill('SIGKILL');
  await next?.exited;
});

test('a request that is in flight when the listener closes is finished', async () => {
  const service = await aService();
  const session = await aSession();
  await fiveCalls.start(service.url, session);
  const request = await halfAnUpdate(service.url, session);
  service.kill('SIGTERM');
  await until('the listener is closed', () => isRefused(service));
  request.sendTheRest();
  expect(await request.statusLine).toContain(' 201 ');
  expect(await service.exited).toEqual({ code: 0, signal: null });
});

test('an idle keep-alive connection does not delay the exit', async () => {
  const service = await aService();
  const socket = await connected(service.url);
  socket.write('GET /health/live HTTP/1.1\r\nHost: service\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toMatch(/^keep-alive: timeout=65\r$/im);
  service.kill('SIGTERM');
  const stoppedAt = performance.now();
  expect(await service.exited).toEqual({ code: 0, signal: null });
  // Well below the timeout of requests in flight.
  expect(performance.now() - stoppedAt).toBeLessThan(4_000);
  socket.destroy();
});

test('during the delay each answer, also a refusal, is the last on its connection, so that none is closed under a request', async () => {
  const service = await aService({ SHUTDOWN_DELAY_MS: '2000' });
  const session = await anActiveJourney(service.url);
  const connectionAfter = async (token: string) => {
    const answer = await fetch(liveUrl(service.url, session.sessionId), {
      headers: { authorization: token },
    });
    await answer.arrayBuffer();
    return [answer.status, answer.headers.get('connection')];
  };
  const valid = `Bearer ${session.studentToken}`;
  expect(await connectionAfter(valid)).toEqual([200, 'keep-alive']);
  service.kill('SIGTERM');
  await until('it drains', async () => (await timedGet(`${service.url}/health/ready`)).status === 503);
  expect(await connectionAfter(valid)).toEqual([200, 'close']);
  expect(await connectionAfter('Bearer none')).toEqual([401, 'close']);
  expect(await service.exited).toEqual({ code: 0, signal: null });
});

// Concurrent, because it waits for the timeout of requests in flight.
test.concurrent(
  'neither a request that never ends nor an EventBridge that hangs delays the exit beyond 25 seconds, and no event is lost',
  async () => {
    const [ownRedis, ownBus] = [await startPrivateRedis(), await startLocalEventBus()];
    const service = await runServiceProcess(ownBus, { REDIS_URL: ownRedis.url });
    ownBus.failWhile(() => ({ kind: 'hang' }));
    const session = await aSession();
    const request = await halfAnUpdate(service.url, session);
    await fiveCalls.start(service.url, session);
    await until('a call that hangs', () => ownBus.calls() > 0);
    service.kill('SIGTERM');
    const stoppedAt = performance.now();
    expect(await service.exited).toEqual({ code: 0, signal: null });
    expect(performance.now() - stoppedAt).toBeLessThan(25_000);
    request.socket.destroy();
    const pending = await ownRedis.client.xrange(OUTBOX_KEY, '-', '+');
    expect(JSON.stringify(pending)).toContain(session.sessionId);
    await ownBus.stop();
    await ownRedis.stop();
  },
);

test.concurrent('on SIGINT the process ends with exit code 0, without the delay', async () => {
  const service = await aService({ SHUTDOWN_DELAY_MS: '12000' });
  service.kill('SIGINT');
  const stoppedAt = performance.now();
  expect(await service.exited).toEqual({ code: 0, signal: null });
  expect(performance.now() - stoppedAt).toBeLessThan(10_000);
});

function isRefused(service: ServiceProcess): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'ECONNREFUSED');
    });
  });
}

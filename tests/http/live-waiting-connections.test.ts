import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import type { ASession } from '../support/a-session.js';
import { RawConnection, wire } from '../support/raw-http.js';
import { channelOf, sharedRedis } from '../support/redis-of-the-run.js';
import { metric, runService, type RunningService } from '../support/running-service.js';
import { until } from '../support/until.js';
import {
  aWaitingStudent,
  etagOf,
  LONG_SECONDS,
  move,
  OFTEN,
  untilWaiting,
} from '../support/waiting-polls.js';

const ORIGIN = 'https://app.example.com';
const LIVE = '/api/v1/admin/location-tracking/journey/live';

let service: RunningService;
beforeAll(async () => {
  const settings = { ...OFTEN, CORS_ORIGINS: ORIGIN, LOG_LEVEL: 'info' };
  service = await runService({ settings });
});
afterAll(() => service.stop());

interface Question {
  method?: string;
  version?: string;
  headers?: string[];
}

/** A poll's bytes, with the ETag of the present state. */
async function question(session: ASession, { method = 'GET', version = '1.1', headers = [] }: Question) {
  return wire(
    `${method} ${LIVE}?sessionId=${session.sessionId} HTTP/${version}`,
    'Host: test',
    `Authorization: Bearer ${session.studentToken}`,
    `If-None-Match: ${await etagOf(service, session)}`,
    `Prefer: wait=${LONG_SECONDS}`,
    ...headers,
  );
}

async function aWaitingConnection(session: ASession, details: Question = {}): Promise<RawConnection> {
  const connection = new RawConnection(service.url, await question(session, details));
  await untilWaiting(service, 1);
  return connection;
}

const post = (session: ASession, sequence: number) => move(service, session, sequence);

const answered = (connection: RawConnection, count = 1) =>
  until(`${count} answers`, () => connection.statuses.length === count);

/** Its poll waited and got the position of sequence 1. */
async function aConnectionAfterAWait(session: ASession): Promise<RawConnection> {
  const connection = await aWaitingConnection(session);
  await post(session, 1);
  await answered(connection);
  return connection;
}

const closed = (connection: RawConnection) => until('the connection is closed', () => connection.isEnded);

const reads = () => metric(service, 'live_polls_total', 'source="state"');

const linesOf = (requestId: string) =>
  until(`the line of ${requestId}`, () => {
    const lines = service.logLines().filter((line) => line['requestId'] === requestId);
    return lines.length > 0 && lines;
  });

/** Successful polls are logged by sample; the next second has a new budget. */
async function anotherSecond(): Promise<void> {
  const fromMs = performance.now();
  await until('a second is over', () => performance.now() - fromMs > 1_000);
}

test('the connection of a waiting poll serves further requests and waits', async () => {
  const session = await aJourney(service.api);
  const connection = await aConnectionAfterAWait(session);
  connection.send(wire('GET /health/live HTTP/1.1', 'Host: test'));
  await answered(connection, 2);
  connection.send(await question(session, {}));
  await untilWaiting(service, 1);
  await post(session, 2);
  await answered(connection, 3);
  expect(connection.statuses).toEqual([200, 200, 200]);
  expect(connection.text).toContain('"sequence":2');
  expect(connection.isEnded).toBe(false);
  connection.close();
});

test.each([
  ['with Connection: close', { headers: ['Connection: close'] }],
  ['over HTTP/1.0', { version: '1.0' }],
])('the connection of a waiting poll %s is closed after the response', async (_name, details) => {
  const session = await aJourney(service.api);
  const connection = await aWaitingConnection(session, details);
  await post(session, 1);
  await closed(connection);
  expect(connection.statuses).toEqual([200]);
  expect(connection.text).toMatch(/\r\nconnection: close\r\n/i);
  expect(connection.text).toMatch(/"sequence":1.*\}$/);
});

test('HEAD waits like GET and has no body', async () => {
  const session = await aJourney(service.api);
  const connection = await aWaitingConnection(session, { method: 'HEAD' });
  await post(session, 1);
  await answered(connection);
  expect(connection.text).toMatch(/\r\ncontent-length: \d\d+\r\n/i);
  expect(connection.text).toMatch(/\r\n\r\n$/);
  connection.close();
});

test('a page of an allowed origin may read the response to a waiting poll', async () => {
  const session = await aJourney(service.api);
  const connection = await aWaitingConnection(session, { headers: [`Origin: ${ORIGIN}`] });
  await post(session, 1);
  await answered(connection);
  expect(connection.text).toMatch(/\r\naccess-control-allow-origin: https:\/\/app\.example\.com\r\n/i);
  expect(connection.text).toMatch(/\r\naccess-control-expose-headers: ETag,/i);
  expect(connection.text).toMatch(/\r\nvary: Origin/i);
  connection.close();
});

test('a waiting poll is one log line with its id, duration and remote address', async () => {
  const session = await aJourney(service.api);
  const requestId = randomUUID();
  const headers = [`X-Request-Id: ${requestId}`, 'X-Forwarded-For: 203.0.113.7'];
  const connection = await aWaitingConnection(session, { headers });
  await anotherSecond();
  await post(session, 1);
  await answered(connection);
  expect(connection.text).toContain(`\r\nX-Request-Id: ${requestId}\r\n`);
  const lines = await linesOf(requestId);
  expect(lines).toMatchObject([
    { method: 'GET', route: `${LIVE.slice(13)} (waiting)`, status: 200, remoteAddress: '203.0.113.7' },
  ]);
  expect(lines[0]).not.toHaveProperty('aborted');
  expect(lines[0]?.['durationMs']).toBeGreaterThan(995);
  connection.close();
});

test('a caller that resets its connection during its wait is logged once, with status 499', async () => {
  const session = await aJourney(service.api);
  const requestId = randomUUID();
  const connection = await aWaitingConnection(session, { headers: [`X-Request-Id: ${requestId}`] });
  connection.reset();
  await untilWaiting(service, 0);
  await post(session, 1);
  expect(await linesOf(requestId)).toMatchObject([{ status: 499, aborted: true }]);
});

test.each(['during its wait', 'right after the request'])(
  'a caller that closes its side %s is answered without waiting on, and then the connection is closed',
  async (when) => {
    const session = await aJourney(service.api);
    const connection = new RawConnection(service.url, await question(session, {}));
    if (when === 'during its wait') await untilWaiting(service, 1);
    connection.closeItsSide();
    await closed(connection);
    expect(connection.statuses).toEqual([304]);
    expect(connection.text).toMatch(/\r\nnext-poll-ms: \d+\r\n/i);
    expect(connection.text).not.toMatch(/\r\npreference-applied: /i);
    await untilWaiting(service, 0);
  },
);

test('twenty polls that wait on one connection are all answered when the caller closes its side', async () => {
  const warned = jest.spyOn(process, 'emitWarning');
  const session = await aJourney(service.api);
  const poll = await question(session, {});
  const connection = new RawConnection(service.url, poll.repeat(20));
  await untilWaiting(service, 20);
  connection.closeItsSide();
  await closed(connection);
  expect(connection.statuses).toEqual(Array(20).fill(304));
  expect(warned).not.toHaveBeenCalled();
});

test('a change to a state that the caller knows does not end its wait', async () => {
  const session = await aJourney(service.api);
  const { answer } = await aWaitingStudent(service, session);
  const before = await reads();
  // As another version of the service may publish a start or an end.
  await sharedRedis().publish(channelOf(session.sessionId), 'changed');
  await until('the state is read', async () => (await reads()) > before);
  await untilWaiting(service, 1);
  await post(session, 1);
  expect(await answer).toMatchObject({
    status: 200,
    headers: { 'preference-applied': `wait=${LONG_SECONDS}` },
  });
});

test('a request pipelined behind a waiting poll is carried out, and the responses keep their order', async () => {
  const session = await aJourney(service.api);
  await post(session, 1);
  const connection = await aWaitingConnection(session);
  const stop = wire(
    `POST /api/v1/admin/sessions/${session.sessionId}/stop-journey HTTP/1.1`,
    'Host: test',
    `Authorization: Bearer ${session.trainerToken}`,
    'Content-Length: 0',
  );
  connection.send(stop + wire('GET /health/live HTTP/1.1', 'Host: test'));
  await answered(connection, 3);
  const [, first, second, third] = connection.text.split('HTTP/1.1 200 OK\r\n');
  expect(first).toContain('"endedReason":"cancelled"');
  expect(second).toContain('"stoppedAt":');
  expect(third).toContain('"status":"live"');
  connection.close();
});

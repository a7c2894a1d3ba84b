import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import type { ASession } from '../support/a-session.js';
import { data } from '../support/api.js';
import { RawConnection, wire } from '../support/raw-http.js';
import { sharedRedis } from '../support/redis-of-the-run.js';
import { metric, runService, type RunningService } from '../support/running-service.js';
import { until } from '../support/until.js';
import {
  aWaitingStudent,
  etagOf,
  LONG_SECONDS,
  OFTEN,
  poll,
  positionOf,
  untilWaiting,
} from '../support/waiting-polls.js';

/** Between its question and its answer a poll that waits leaves its connection alone. What does the caller see of that? */
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

/** A poll as it goes over the wire, of somebody who knows the present state. */
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

const post = async (session: ASession, sequence: number) =>
  data(await service.api.update(session.trainerToken, positionOf(session, sequence)));

const answered = (connection: RawConnection, count = 1) =>
  until(`${count} answers`, () => connection.statuses.length === count);

/** Its poll has had the position of sequence 1. */
async function aConnectionAfterAWait(session: ASession): Promise<RawConnection> {
  const connection = await aWaitingConnection(session);
  await post(session, 1);
  await answered(connection);
  return connection;
}

const closed = (connection: RawConnection) => until('the connection is closed', () => connection.isEnded);

const looks = () => metric(service, 'live_polls_total', 'source="state"');

const linesOf = (requestId: string) =>
  until(`the line of ${requestId}`, () => {
    const lines = service.logLines().filter((line) => line['requestId'] === requestId);
    return lines.length > 0 && lines;
  });

/** Of what went well only so much is logged each second, and other tests' answers count. */
async function anotherSecond(): Promise<void> {
  const fromMs = performance.now();
  await until('a second is over', () => performance.now() - fromMs > 1_000);
}

test('the connection on which a poll has waited serves what comes next, and another wait after that', async () => {
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

test('of students whose waits come over one connection, one after the other, each has its own answer', async () => {
  const [first, second] = [await aJourney(service.api), await aJourney(service.api)];
  const [firstId, forwardedFor] = [randomUUID(), '203.0.113.8'];
  const headers = [`X-Request-Id: ${firstId}`, `X-Forwarded-For: ${forwardedFor}`, `Origin: ${ORIGIN}`];
  const connection = await aWaitingConnection(first, { method: 'HEAD', headers });
  await post(first, 1);
  await answered(connection);
  connection.send(await question(second, {}));
  await untilWaiting(service, 1);
  // It is no longer told of what the one before it waited for.
  await post(first, 2);
  await post(second, 7);
  await answered(connection, 2);
  const [, ofFirst, ofSecond] = connection.text.split('HTTP/1.1 200 OK\r\n');
  expect(ofFirst).toContain(firstId);
  expect(ofSecond).toContain('"sequence":7');
  expect(ofSecond).toContain(second.sessionId);
  expect(ofSecond).toMatch(/\r\nx-request-id: [\w-]{38,}\r\n/i);
  for (const text of [firstId, first.sessionId, ORIGIN]) expect(ofSecond).not.toContain(text);
  const [line] = await linesOf(/\r\nx-request-id: (\S+)/i.exec(ofSecond ?? '')?.[1] ?? '');
  expect(line).toMatchObject({ method: 'GET', status: 200 });
  expect(line?.['remoteAddress']).not.toBe(forwardedFor);
  connection.close();
});

test('after a wait and a poll that had its answer at once, the next on the connection waits for news again', async () => {
  const session = await aJourney(service.api);
  const old = await question(session, {});
  const connection = await aConnectionAfterAWait(session);
  connection.send(old);
  await answered(connection, 2);
  connection.send(await question(session, {}));
  await untilWaiting(service, 1);
  await post(session, 2);
  await answered(connection, 3);
  expect(connection.statuses).toEqual([200, 200, 200]);
  expect(connection.text.match(/"sequence":\d/g)).toEqual(['"sequence":1', '"sequence":1', '"sequence":2']);
  connection.close();
});

test('a caller that goes during the second wait of its connection is logged once, as gone', async () => {
  const session = await aJourney(service.api);
  const requestId = randomUUID();
  const connection = await aConnectionAfterAWait(session);
  connection.send(await question(session, { headers: [`X-Request-Id: ${requestId}`] }));
  await untilWaiting(service, 1);
  connection.close();
  await untilWaiting(service, 0);
  await post(session, 2);
  expect(await linesOf(requestId)).toMatchObject([{ status: 499, aborted: true }]);
});

test('a request that comes during the second wait of its connection ends that, and is not carried out', async () => {
  const session = await aJourney(service.api);
  const connection = await aConnectionAfterAWait(session);
  connection.send(await question(session, {}));
  await untilWaiting(service, 1);
  connection.send(wire('GET /health/live HTTP/1.1', 'Host: test'));
  await closed(connection);
  expect(connection.statuses).toEqual([200, 304]);
  await untilWaiting(service, 0);
});

test('a wait that runs out does so in its own time, whatever the wait before it on the connection was', async () => {
  const session = await aJourney(service.api);
  const connection = await aConnectionAfterAWait(session);
  connection.send((await question(session, {})).replace(`wait=${LONG_SECONDS}`, 'wait=1'));
  await answered(connection, 2);
  expect(connection.statuses).toEqual([200, 304]);
  expect(connection.text).toContain('Preference-Applied: wait=1');
  connection.close();
});

test.each([
  ['that asks for it', { headers: ['Connection: close'] }],
  ['of HTTP/1.0', { version: '1.0' }],
])('after its wait the connection of a poll %s is closed', async (_name, details) => {
  const session = await aJourney(service.api);
  const connection = await aWaitingConnection(session, details);
  await post(session, 1);
  await closed(connection);
  expect(connection.statuses).toEqual([200]);
  expect(connection.text).toMatch(/\r\nconnection: close\r\n/i);
  expect(connection.text).toMatch(/"sequence":1.*\}$/);
});

test('HEAD waits as GET does, and is answered without a body', async () => {
  const session = await aJourney(service.api);
  const connection = await aWaitingConnection(session, { method: 'HEAD' });
  await post(session, 1);
  await answered(connection);
  expect(connection.text).toMatch(/\r\ncontent-length: \d\d+\r\n/i);
  expect(connection.text).toMatch(/\r\n\r\n$/);
  connection.close();
});

test('a page of another origin may read what it has waited for', async () => {
  const session = await aJourney(service.api);
  const connection = await aWaitingConnection(session, { headers: [`Origin: ${ORIGIN}`] });
  await post(session, 1);
  await answered(connection);
  expect(connection.text).toMatch(/\r\naccess-control-allow-origin: https:\/\/app\.example\.com\r\n/i);
  expect(connection.text).toMatch(/\r\naccess-control-expose-headers: ETag,/i);
  expect(connection.text).toMatch(/\r\nvary: Origin/i);
  connection.close();
});

test('a poll that has waited is one line of the log, with its id, its time and the address of its caller', async () => {
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

test('a caller that goes while its poll waits is logged once, as gone', async () => {
  const session = await aJourney(service.api);
  const requestId = randomUUID();
  const connection = await aWaitingConnection(session, { headers: [`X-Request-Id: ${requestId}`] });
  connection.close();
  await untilWaiting(service, 0);
  await post(session, 1);
  expect(await linesOf(requestId)).toMatchObject([{ status: 499, aborted: true }]);
});

test('a caller that goes after its poll has waited and was answered is not logged again', async () => {
  const session = await aJourney(service.api);
  const requestId = randomUUID();
  const connection = await aWaitingConnection(session, { headers: [`X-Request-Id: ${requestId}`] });
  await anotherSecond();
  await post(session, 1);
  await answered(connection);
  connection.close();
  const after = await aWaitingConnection(session, { headers: [`X-Request-Id: ${requestId}-after`] });
  after.close();
  await linesOf(`${requestId}-after`);
  expect(await linesOf(requestId)).toMatchObject([{ status: 200 }]);
});

test('a change that is no news to the caller does not end its wait, and the next one does', async () => {
  const session = await aJourney(service.api);
  const { answer } = await aWaitingStudent(service, session);
  const before = await looks();
  // As another version of the service may tell of a start or an end.
  await sharedRedis().publish(`journey:changes:${session.sessionId}`, 'changed');
  await until('the state is looked at', async () => (await looks()) > before);
  await untilWaiting(service, 1);
  await post(session, 1);
  expect(await answer).toMatchObject({
    status: 200,
    headers: { 'preference-applied': `wait=${LONG_SECONDS}` },
  });
});

describe('a request that comes on the connection of a poll that waits', () => {
  const stop = ({ sessionId, trainerToken }: ASession) =>
    wire(
      `POST /api/v1/admin/sessions/${sessionId}/stop-journey HTTP/1.1`,
      'Host: test',
      `Authorization: Bearer ${trainerToken}`,
      'Content-Length: 0',
    );

  const health = (...headers: string[]) => wire('GET /health/live HTTP/1.1', 'Host: test', ...headers);

  test.each([
    ['alone', ''],
    ['behind one without a Host', wire('GET / HTTP/1.1')],
    ['behind one that expects what nobody knows', health('Expect: something')],
    ['behind a thousand others', health(`X-Padding: ${'x'.repeat(100)}`).repeat(1_000)],
  ])(
    '%s ends the wait with the state as it is, and the connection, and is not carried out',
    async (_where, before) => {
      const session = await aJourney(service.api);
      await post(session, 1);
      const connection = await aWaitingConnection(session);
      connection.send(before + stop(session));
      await closed(connection);
      expect(connection.statuses).toEqual([304]);
      expect(connection.text).toMatch(/\r\nconnection: close\r\n/i);
      await untilWaiting(service, 0);
      expect(data(await poll(service, session, undefined, { prefer: null }))).toMatchObject({
        isActive: true,
      });
    },
  );

  test('is carried out where the poll has not come to wait yet, and all answers come in their order', async () => {
    const session = await aJourney(service.api);
    await post(session, 1);
    const bytes = (await question(session, {})) + stop(session) + health();
    const connection = new RawConnection(service.url, bytes);
    await answered(connection, 3);
    const [, first, second, third] = connection.text.split('HTTP/1.1 200 OK\r\n');
    expect(first).toContain('"isActive":false');
    expect(second).toContain('"stoppedAt":');
    expect(third).toContain('"status":"live"');
    connection.close();
  });
});

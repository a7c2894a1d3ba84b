import { randomUUID } from 'node:crypto';
import { startLocalEventBus, type LocalEventBus } from '../../src/dev/event-bus/local-event-bus.js';
import { aJourney } from '../support/a-journey.js';
import { metersNorth, type ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { RawConnection, statusesUntilClosed, wire } from '../support/raw-http.js';
import { metric, runService, type RunningService } from '../support/running-service.js';
import { runServiceProcess, type ServiceProcess } from '../support/service-process.js';
import { tokenFor } from '../support/tokens.js';
import { until } from '../support/until.js';
import { OFTEN } from '../support/waiting-polls.js';

let redis: PrivateRedis;
let service: RunningService;
beforeAll(async () => {
  redis = await startPrivateRedis();
  service = await runService({ settings: { REDIS_URL: redis.url, ...OFTEN } });
});
afterAll(async () => {
  await service.stop();
  await redis.stop();
});

const known = '3f2b8c1e-9d4a-4f6b-8a57-0c1d2e3f4a5b';
const ids = [
  '*',
  `${known}*`,
  `${known}:session:x`,
  `${known}\r\nFLUSHALL\r\n`,
  `${known}\n`,
  ` ${known}`,
  `{${known}}`,
  `${known}' or '1'='1`,
  `${known}"}`,
  `"); redis.call("FLUSHALL") --`,
  known.replace(/-/g, ''),
  // Digits, and a letter that becomes an ASCII one in lower case, of other scripts.
  known.replace('3', '３'),
  known.replace('f', '\u0192'),
  `${known}\0`,
  '%s%n',
  '../'.repeat(12),
];

test.each(ids)('an id that is %j is refused by every call, and nothing comes to Redis', async (id) => {
  const trainer = await tokenFor(randomUUID(), 'trainer');
  const before = await names();
  const path = encodeURIComponent(id);
  const answers = [
    await service.api.start(path, trainer),
    await service.api.arrived(path, trainer),
    await service.api.stop(path, trainer),
    await service.api.live(id, trainer),
    await service.api.update(trainer, { sessionId: id, ...metersNorth(10) }),
  ];
  expect(answers.map(refusal)).toMatchObject(
    answers.map(() => ({ status: 400, code: 'VALIDATION_FAILED', details: [{ path: 'sessionId' }] })),
  );
  expect(await names()).toEqual(before);
});

test.each(['*', '{x}', '../../x', "a'b", '"]]--', '%00', ':'.repeat(128)])(
  'an Idempotency-Key of %j is not in a key of Redis',
  async (key) => {
    const { sessionId, trainerToken } = await aJourney(service.api);
    data(await service.api.stop(sessionId, trainerToken, { 'Idempotency-Key': key }));
    const records = (await names()).filter((name) => name.startsWith(`journey:idempotency:${sessionId}`));
    expect(records).toEqual([expect.stringMatching(/^journey:idempotency:[0-9a-f-]{36}:[\w-]{22}$/)]);
  },
);

const MARK = 'injected';
const HEADERS = ['X-Request-Id', 'X-Amzn-Trace-Id', 'X-Forwarded-For', 'User-Agent', 'Idempotency-Key'];
const texts = [
  `${MARK}","level":"error","x":"`,
  `${MARK}\\n{"level":"error"}`,
  `${MARK}\u0085\u00ff`,
  `${MARK} <script>`,
  `\${jndi:ldap://${MARK}.example.com/a}`,
];

test.each(texts)(
  '%j in headers and the address is nowhere in the log, whose lines stay lines',
  async (text) => {
    const lastId = randomUUID();
    for (const header of HEADERS) {
      const connection = new RawConnection(
        service.url,
        wire(
          `POST /api/v1/admin/sessions/${encodeURIComponent(text)}/start-journey?${encodeURIComponent(text)} HTTP/1.1`,
          ...['Host: x', 'Connection: close', `${header}: ${text}`],
          `Authorization: Bearer ${await tokenFor(randomUUID(), 'trainer')}`,
          'Content-Length: 0',
        ),
      );
      await until('it is answered', () => connection.isEnded);
      connection.close();
      expect(connection.statuses).toEqual([400]);
    }
    await service.api.call('GET', '/nothing', { headers: { 'X-Request-Id': lastId } });
    await until('the log has all', () => service.logLines().some((line) => line['requestId'] === lastId));
    expect(service.logLines().filter((line) => JSON.stringify(line).includes(MARK))).toEqual([]);
    expect(service.logLines().filter((line) => line['level'] === 'error')).toEqual([]);
  },
);

/** Without the outbox, which the service makes for itself. */
async function names(): Promise<string[]> {
  return (await redis.client.keys('*')).filter((name) => !name.startsWith('journey:outbox')).sort();
}

const BASE = '/api/v1/admin';
let journey: ASession;
beforeAll(async () => {
  journey = await aJourney(service.api);
});

const token = () => `Authorization: Bearer ${journey.trainerToken}`;
const body = () => JSON.stringify({ sessionId: journey.sessionId, ...metersNorth(100) });
const inChunks = () => `${body().length.toString(16)}\r\n${body()}\r\n0\r\n\r\n`;
/** An update whose head has these lines too; the connection is closed after its answer. */
const update = (...lines: string[]) =>
  wire(
    `POST ${BASE}/location-tracking/journey/updates HTTP/1.1`,
    ...['Host: x', 'Connection: close', token(), 'Content-Type: application/json', ...lines],
  );
const live = (version = 'HTTP/1.1', origin = '') =>
  `GET ${origin}${BASE}/location-tracking/journey/live?sessionId=${journey.sessionId} ${version}`;
/** A request in what a proxy takes for the body. */
const hidden = () =>
  wire(`POST ${BASE}/sessions/${journey.sessionId}/stop-journey HTTP/1.1`, 'Host: x', token());

const ambiguous: [what: string, bytes: () => string][] = [
  [
    'a length and chunks',
    () => update(`Content-Length: ${inChunks().length}`, 'Transfer-Encoding: chunked') + inChunks(),
  ],
  ['a length of 0 and chunks', () => update('Content-Length: 0', 'Transfer-Encoding: chunked') + inChunks()],
  ['two lengths', () => update('Content-Length: 0', `Content-Length: ${hidden().length}`)],
  ['a length with a sign', () => update(`Content-Length: +${body().length}`) + body()],
  ['a hexadecimal length', () => update('Content-Length: 0x10') + body()],
  ['an unknown encoding', () => update('Transfer-Encoding: xchunked') + inChunks()],
  ['two encodings', () => update('Transfer-Encoding: chunked', 'Transfer-Encoding: identity') + inChunks()],
  [
    'a blank before the colon',
    () => update('Transfer-Encoding : chunked', `Content-Length: ${inChunks().length}`) + inChunks(),
  ],
  [
    'a control character before chunked',
    () => update('Transfer-Encoding:\x0bchunked', `Content-Length: ${inChunks().length}`) + inChunks(),
  ],
  [
    'a header that is folded',
    () => update('X-A: b', ' Transfer-Encoding: chunked', `Content-Length: ${body().length}`) + body(),
  ],
  ['a NUL in a header', () => update('X-A: a\0b', `Content-Length: ${body().length}`) + body()],
  ['a bare CR in a header', () => update('X-A: a\rX-B: c', `Content-Length: ${body().length}`) + body()],
  [
    'lines that end in LF alone',
    () => update(`Content-Length: ${body().length}`).replaceAll('\r\n', '\n') + body(),
  ],
  [
    'chunks that end in LF alone',
    () => update('Transfer-Encoding: chunked') + inChunks().replaceAll('\r\n', '\n'),
  ],
  [
    'a chunk whose size is beyond all numbers',
    () => update('Transfer-Encoding: chunked') + 'FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n',
  ],
  [
    'a chunk with 20 KB of extensions',
    () => update('Transfer-Encoding: chunked') + `5;${'a'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`,
  ],
];

test.each(ambiguous)(
  'a request with %s is refused, and the bytes after it are not a request',
  async (_what, bytes) => {
    expect(await statusesUntilClosed(service.url, bytes() + hidden())).toEqual([400]);
    expect(await redis.client.exists(`journey:active:${journey.sessionId}`)).toBe(1);
  },
);

test('a request with two tokens is judged by the first, as every reader of it would', async () => {
  const close = ['Host: x', 'Connection: close'];
  const wrong = 'Authorization: Bearer x.y.z';
  expect(await statusesUntilClosed(service.url, wire(live(), ...close, wrong, token()))).toEqual([401]);
  expect(await statusesUntilClosed(service.url, wire(live(), ...close, token(), wrong))).toEqual([200]);
});

test.each([
  ['without a Host', 400, () => wire(live(), token())],
  ['of HTTP/1.0', 200, () => wire(live('HTTP/1.0'), token())],
  ['of HTTP/0.9', 401, () => `GET ${BASE}/location-tracking/journey/live\r\n\r\n`],
  ['of HTTP/1.2', 400, () => wire(live('HTTP/1.2'), 'Host: x', token())],
  ["of HTTP/2's preface", 400, () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['of TLS', 400, () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  [
    'to another host, which nothing depends on',
    200,
    () => wire(live('HTTP/1.1', 'http://evil.example.com'), 'Host: evil', 'Connection: close', token()),
  ],
  ['whose headers are 20 KB long', 431, () => wire('GET / HTTP/1.1', `X-A: ${'a'.repeat(20_000)}`)],
  ['whose address is 20 KB long', 431, () => wire(`GET /${'a'.repeat(20_000)} HTTP/1.1`, 'Host: x')],
])('a request %s is answered by %d', async (_what, status, bytes) => {
  expect(await statusesUntilClosed(service.url, bytes())).toEqual([status]);
});

test('a caller that closes its side after its requests gets all responses, and the connection is closed', async () => {
  const { sessionId, trainerToken } = await aJourney(service.api);
  const call = (name: string) =>
    wire(
      `POST ${BASE}/sessions/${sessionId}/${name} HTTP/1.1`,
      ...['Host: x', `Authorization: Bearer ${trainerToken}`, 'Content-Length: 0'],
    );
  const moved = JSON.stringify({ sessionId, ...metersNorth(20), accuracy: 5 });
  const update = wire(
    `POST ${BASE}/location-tracking/journey/updates HTTP/1.1`,
    ...['Host: x', `Authorization: Bearer ${trainerToken}`],
    ...['Content-Type: application/json', `Content-Length: ${moved.length}`],
  );
  for (const [requests, statuses] of [
    [update + moved, [201]],
    [call('arrived') + wire(live(), 'Host: x', token()), [200, 200]],
  ] as const) {
    const connection = new RawConnection(service.url, requests);
    connection.closeItsSide();
    await until('the connection is closed', () => connection.isEnded);
    expect(connection.statuses).toEqual(statuses);
  }
});

test('CONNECT gets no answer', async () => {
  const bytes = wire('CONNECT example.com:443 HTTP/1.1', 'Host: example.com:443');
  expect(await statusesUntilClosed(service.url, bytes)).toEqual([]);
});

test.each([
  ['a websocket', ['Connection: Upgrade', 'Upgrade: websocket']],
  ['HTTP/2', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk']],
])('an upgrade to %s is ignored', async (_what, lines) => {
  const connection = new RawConnection(service.url, wire(live(), 'Host: x', token(), ...lines));
  await until('it is answered', () => connection.statuses.length > 0);
  connection.close();
  expect(connection.statuses).toEqual([200]);
});

test.each([
  ['//evil.example.com%p', 404],
  ['/API/v1/admin/sessions/%s/start-journey', 404],
  ['/api/v1/admin/sessions%2f%s/start-journey', 404],
  ['/api/v1/admin/%73essions/%s/start-journey', 404],
  ['/api/v1/admin/x/../sessions/%s/start-journey', 404],
  ['/api/v1/admin/./sessions/%s/start-journey', 404],
  ['/api/v1/admin/sessions/%s;a=b/start-journey', 400],
  ['/api/v1/admin/sessions/%s%00/start-journey', 400],
])('%s is another address than that of the call: %d', async (pattern, status) => {
  const path = pattern.replace('%p', `${BASE}/sessions/%s/start-journey`).replace('%s', journey.sessionId);
  const bytes = wire(`POST ${path} HTTP/1.1`, 'Host: x', 'Connection: close', token(), 'Content-Length: 0');
  expect(await statusesUntilClosed(service.url, bytes)).toEqual([status]);
});

/** Of a process of its own: in this one they would be counted with the test's own. */
const connectionsOf = (alone: ServiceProcess) =>
  metric(alone, 'nodejs_active_resources', 'type="TCPSocketWrap"');

const incomplete = [
  '',
  'GET / HT',
  'GET / HTTP/1.1\r\nHost: x\r\nX-A: b',
  'hello\r\n\r\n',
  wire('GET /health/live HTTP/1.1', 'Host: x') + 'hello\r\n\r\n',
  wire('POST /api/v1/admin/location-tracking/journey/updates HTTP/1.1', 'Host: x', 'Content-Length: 9') + '{',
  wire('POST /health/live HTTP/1.1', 'Host: x', 'Transfer-Encoding: chunked') + '5\r\nhe',
];

let bus: LocalEventBus;
let alone: ServiceProcess;
let connectionsBefore: number;
let opened: RawConnection[];
// Before all tests, so that their time passes meanwhile.
beforeAll(async () => {
  bus = await startLocalEventBus();
  alone = await runServiceProcess(bus);
  connectionsBefore = await connectionsOf(alone);
  const times = Array.from({ length: 10 });
  opened = times.flatMap(() => incomplete.map((bytes) => new RawConnection(alone.url, bytes)));
  await until('they are open', async () => (await connectionsOf(alone)) > connectionsBefore + 40);
}, 60_000);
afterAll(async () => {
  for (const connection of opened) connection.close();
  alone.kill('SIGKILL');
  await alone.exited;
  await bus.stop();
});

test('connections that send nothing, half a request or nonsense, and are never closed by the caller, are closed after 20 s', async () => {
  await until('they are gone', async () => (await connectionsOf(alone)) <= connectionsBefore + 2, 45_000);
}, 70_000);

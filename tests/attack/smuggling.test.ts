import { aJourney } from '../support/a-journey.js';
import { metersNorth, type ASession } from '../support/a-session.js';
import { exists, keyOf } from '../support/redis-of-the-run.js';
import { RawConnection, statusesUntilClosed, wire } from '../support/raw-http.js';
import { runService, type RunningService } from '../support/running-service.js';
import { until } from '../support/until.js';

const BASE = '/api/v1/admin';
let service: RunningService;
let journey: ASession;
beforeAll(async () => {
  service = await runService();
  journey = await aJourney(service.api);
});
afterAll(() => service.stop());

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
/** What a proxy would take for the body, and the service, if it could be fooled, for a request. */
const hidden = () =>
  wire(`POST ${BASE}/sessions/${journey.sessionId}/stop-journey HTTP/1.1`, 'Host: x', token());

const ambiguous: [what: string, bytes: () => string][] = [
  [
    'a length and chunks',
    () => update(`Content-Length: ${inChunks().length}`, 'Transfer-Encoding: chunked') + inChunks(),
  ],
  ['a length of 0 and chunks', () => update('Content-Length: 0', 'Transfer-Encoding: chunked') + inChunks()],
  ['two lengths', () => update('Content-Length: 0', `Content-Length: ${hidden().length}`)],
  ['two lengths in one line', () => update(`Content-Length: 0, ${hidden().length}`)],
  ['a length with a sign', () => update(`Content-Length: +${body().length}`) + body()],
  ['a negative length', () => update('Content-Length: -1') + body()],
  ['a hexadecimal length', () => update('Content-Length: 0x10') + body()],
  ['an encoding that is none', () => update('Transfer-Encoding: xchunked') + inChunks()],
  ['an encoding after chunked', () => update('Transfer-Encoding: chunked, identity') + inChunks()],
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
  'a request with %s is refused, and what follows it is no request',
  async (_what, bytes) => {
    expect(await statusesUntilClosed(service.url, bytes() + hidden())).toEqual([400]);
    expect(await exists(keyOf.active(journey.sessionId))).toBe(true);
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

test('the service is no proxy: CONNECT is answered by nothing', async () => {
  const bytes = wire('CONNECT example.com:443 HTTP/1.1', 'Host: example.com:443');
  expect(await statusesUntilClosed(service.url, bytes)).toEqual([]);
});

test.each([
  ['a websocket', ['Connection: Upgrade', 'Upgrade: websocket']],
  ['HTTP/2', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk']],
])('who asks for %s gets an ordinary answer', async (_what, lines) => {
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

import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import { refusal } from '../support/api.js';
import { rawRequest, type RawAnswer } from '../support/raw-http.js';
import { runService, type RunningService } from '../support/running-service.js';
import { until } from '../support/until.js';

const LIVE = `/api/v1/admin/location-tracking/journey/live?sessionId=${randomUUID()}`;
const ORIGIN = 'https://app.example.com';
let service: RunningService;
let open: RunningService;
beforeAll(async () => {
  service = await runService();
  const origins = [
    ORIGIN,
    'https://admin.example.com',
    'capacitor://localhost',
    'https://*.example.org:8443',
  ];
  open = await runService({ settings: { CORS_ORIGINS: origins.join() } });
});
afterAll(async () => {
  await service.stop();
  await open.stop();
});

const get = (service: RunningService, origin: string): Promise<RawAnswer> =>
  rawRequest(service.url, LIVE, { method: 'GET', headers: { Origin: origin } });

const REQUESTED = 'authorization,content-type,idempotency-key,baggage,sentry-trace,traceparent,x-b3-traceid';

function preflight(service: RunningService, origin: string): Promise<RawAnswer> {
  const headers = {
    Origin: origin,
    'Access-Control-Request-Method': 'POST',
    'Access-Control-Request-Headers': REQUESTED,
  };
  return rawRequest(service.url, '/api/v1/admin/location-tracking/journey/updates', {
    method: 'OPTIONS',
    headers,
  });
}

test('pages of an allowed origin may read the responses, also errors, which are not cached for another', async () => {
  const { status, headers } = await get(open, ORIGIN);
  expect([status, headers['access-control-allow-origin']]).toEqual([401, ORIGIN]);
  expect(headers['vary']).toMatch(/origin/i);
  expect(headers['access-control-expose-headers']).toMatch(/ETag.*Location-Age-Ms.*Next-Poll-Ms/);
});

test.each([
  'https://admin.example.com',
  'capacitor://localhost',
  'https://app.example.org:8443',
  'https://pr-12.app.example.org:8443',
])(
  'the preflight of a page of %s needs no token, and allows the headers that are requested',
  async (origin) => {
    const { status, headers } = await preflight(open, origin);
    expect([200, 204]).toContain(status);
    expect(headers['access-control-allow-origin']).toBe(origin);
    expect(headers['access-control-allow-headers']).toBe(REQUESTED);
    expect(headers['access-control-allow-methods']).toContain('POST');
  },
);

test.each<[origin: string, by: string, service: () => RunningService]>([
  [ORIGIN, 'without origins', () => service],
  ...[
    ...['https://evil.example.com', 'http://app.example.com', 'https://app.example.com.evil.com', 'null'],
    ...['capacitor://localhost.evil.com', 'ionic://localhost', 'http://localhost'],
    ...['https://evil-example.org:8443', 'https://example.org:8443', 'https://.example.org:8443'],
    ...['https://app.exampleXorg:8443', 'https://app.example.org', 'https://evil.com#.example.org:8443'],
  ].map((origin): [string, string, () => RunningService] => [origin, 'with other origins', () => open]),
])('pages of %s are not allowed by a service %s', async (origin, _by, of) => {
  for (const answer of [await get(of(), origin), await preflight(of(), origin)]) {
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  }
});

/** The request id in a refusal. */
async function requestIdOf(headers: Record<string, string | string[]>): Promise<string> {
  const answer = await rawRequest(service.url, '/api/v1/admin/nothing', { method: 'GET', headers });
  return (JSON.parse(answer.text) as { error: { requestId: string } }).error.requestId;
}

function lineOf(requestId: string): Promise<Record<string, unknown>> {
  return until(`the log line of ${requestId}`, () =>
    service.logLines().find((line) => line['requestId'] === requestId && 'status' in line),
  );
}

test.each(['a', 'abc-123_X.y', 'req:1/2'])('the id %s of X-Request-Id is used', async (id) => {
  const unique = `${id}-${randomUUID()}`;
  expect(await requestIdOf({ 'X-Request-Id': unique })).toBe(unique);
  expect(await lineOf(unique)).toMatchObject({ requestId: unique });
});

test("the id of the load balancer's X-Amzn-Trace-Id is used", async () => {
  const root = `1-67891233-${randomUUID().replaceAll('-', '').slice(0, 24)}`;
  expect(await requestIdOf({ 'X-Amzn-Trace-Id': `Root=${root}` })).toContain(root);
});

test("the caller's own id goes before the load balancer's", async () => {
  const id = randomUUID();
  const trace = 'Root=1-67891233-abcdef012345678912345678';
  expect(await requestIdOf({ 'X-Request-Id': id, 'X-Amzn-Trace-Id': trace })).toBe(id);
});

const odd: [what: string, id: string][] = [
  ['over-long', 'a'.repeat(1000)],
  ['empty', ''],
  ['with blanks', 'two words'],
  ['with quotes', 'a"b'],
  ['with markup', '<script>alert(1)</script>'],
  ['with braces', '{"level":60}'],
  ['with a tab', 'a\tb'],
  ['beyond ASCII', 'k\u00fcche'],
  ['of control characters in disguise', '\u0080\u009b31m'],
];

test.each(['X-Request-Id', 'X-Amzn-Trace-Id'])('an odd %s is replaced', async (header) => {
  for (const [what, id] of odd) {
    const requestId = await requestIdOf({ [header]: id });
    expect({ what, requestId }).toEqual({
      what,
      requestId: expect.stringMatching(/^[\w.:/=;-]{8,128}$/) as string,
    });
    expect(requestId).not.toBe(id);
  }
});

test('an odd or a double X-Request-Id is ignored', async () => {
  const requestId = await requestIdOf({ 'X-Request-Id': 'two words', 'X-Amzn-Trace-Id': 'Root=1-2-3' });
  expect(requestId).not.toContain('two words');
  expect(await requestIdOf({ 'X-Request-Id': ['first', 'second'] })).not.toMatch(/,|\s/);
});

test('requests without an id get one each', async () => {
  const ids = await Promise.all(Array.from({ length: 20 }, () => requestIdOf({})));
  expect(new Set(ids).size).toBe(20);
});

test('a refused request has one line in the log, with its id, route, status and duration, and is no error', async () => {
  const { sessionId, studentToken } = await aJourney(service.api);
  const id = randomUUID();
  const answer = await service.api.stop(sessionId, studentToken, { 'X-Request-Id': id });
  expect(refusal(answer).status).toBe(403);
  const line = await lineOf(id);
  expect(line).toMatchObject({
    requestId: id,
    method: 'POST',
    status: 403,
    level: expect.stringMatching(/^(debug|info)$/) as string,
    durationMs: expect.any(Number) as number,
  });
  expect(line['route']).toMatch(/stop-journey$/);
  expect(line['route']).not.toContain(sessionId);
  expect(service.logLines().filter((each) => each['requestId'] === id && 'status' in each)).toHaveLength(1);
});

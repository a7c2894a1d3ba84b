import { randomUUID } from 'node:crypto';
import { rawRequest, type RawAnswer } from '../support/raw-http.js';
import { runService, type RunningService } from '../support/running-service.js';

const LIVE = `/api/v1/admin/location-tracking/journey/live?sessionId=${randomUUID()}`;
const ORIGIN = 'https://app.example.com';
let closed: RunningService;
let open: RunningService;
beforeAll(async () => {
  closed = await runService();
  open = await runService({ settings: { CORS_ORIGINS: `${ORIGIN}, https://admin.example.com` } });
});
afterAll(async () => {
  await closed.stop();
  await open.stop();
});

const get = (service: RunningService, origin: string): Promise<RawAnswer> =>
  rawRequest(service.url, LIVE, { method: 'GET', headers: { Origin: origin } });

function preflight(service: RunningService, origin: string): Promise<RawAnswer> {
  const headers = {
    Origin: origin,
    'Access-Control-Request-Method': 'POST',
    'Access-Control-Request-Headers': 'authorization,content-type,idempotency-key',
  };
  return rawRequest(service.url, '/api/v1/admin/location-tracking/journey/updates', {
    method: 'OPTIONS',
    headers,
  });
}

test('without a setting no page of another origin is let in', async () => {
  for (const answer of [await get(closed, ORIGIN), await preflight(closed, ORIGIN)]) {
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  }
});

test('pages of an origin that is set may read the answers, errors too', async () => {
  expect(await get(open, ORIGIN)).toMatchObject({
    status: 401,
    headers: { 'access-control-allow-origin': ORIGIN },
  });
});

test('the preflight of a call with a token needs none itself', async () => {
  const { status, headers } = await preflight(open, 'https://admin.example.com');
  expect([200, 204]).toContain(status);
  expect(headers['access-control-allow-origin']).toBe('https://admin.example.com');
  expect(String(headers['access-control-allow-headers']).toLowerCase()).toContain('authorization');
  expect(headers['access-control-allow-methods']).toContain('POST');
});

test.each(['https://evil.example.com', 'http://app.example.com', 'https://app.example.com.evil.com', 'null'])(
  'pages of %s are not let in',
  async (origin) => {
    for (const answer of [await get(open, origin), await preflight(open, origin)]) {
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    }
  },
);

test('an answer to one origin is not kept for another', async () => {
  expect((await get(open, ORIGIN)).headers['vary']).toMatch(/origin/i);
});

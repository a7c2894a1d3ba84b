import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { aJourney } from '../support/a-journey.js';
import { HOME, type ASession } from '../support/a-session.js';
import { refusal } from '../support/api.js';
import { exists, keyOf } from '../support/redis-of-the-run.js';
import { rawRequest } from '../support/raw-http.js';
import { runService, type RunningService } from '../support/running-service.js';

let service: RunningService;
let journey: ASession;
beforeAll(async () => {
  service = await runService();
});
afterAll(() => service.stop());
beforeEach(async () => {
  journey = await aJourney(service.api);
});

const UPDATES = '/api/v1/admin/location-tracking/journey/updates';
const LIMIT = 16 * 1024;

/** A good update of exactly so many bytes, most of them in a field that is not known. */
function bodyOf(bytes: number): string {
  const body = {
    sessionId: journey.sessionId,
    latitude: HOME.latitude,
    longitude: HOME.longitude,
    padding: '',
  };
  return JSON.stringify({ ...body, padding: 'x'.repeat(bytes - JSON.stringify(body).length) });
}

async function raw(headers: Record<string, string>, chunks: (string | Buffer)[]) {
  const answer = await rawRequest(service.url, UPDATES, {
    headers: {
      Authorization: `Bearer ${journey.trainerToken}`,
      'Content-Type': 'application/json',
      ...headers,
    },
    chunks,
  });
  const body = JSON.parse(answer.text) as { success: boolean; error?: { code: string } };
  return { status: answer.status, code: body.error?.code };
}

async function nothingWritten(): Promise<void> {
  expect(await exists(keyOf.location(journey.trainerId, journey.sessionId))).toBe(false);
  expect(await exists(keyOf.rate(journey.trainerId, journey.sessionId))).toBe(false);
}

test('a body of 16 KiB is taken', async () => {
  expect((await service.api.update(journey.trainerToken, bodyOf(LIMIT))).status).toBe(201);
});

test('a body of one byte over 16 KiB is refused, and nothing changes', async () => {
  const answer = await service.api.update(journey.trainerToken, bodyOf(LIMIT + 1));
  expect(refusal(answer)).toMatchObject({ status: 413, code: 'PAYLOAD_TOO_LARGE' });
  await nothingWritten();
});

test('a chunked body of 16 KiB is taken', async () => {
  const body = bodyOf(LIMIT);
  expect(await raw({}, [body.slice(0, 100), body.slice(100)])).toMatchObject({ status: 201 });
});

test('a chunked body of over 16 KiB is refused, and nothing changes', async () => {
  const body = bodyOf(LIMIT + 1);
  const refused = { status: 413, code: 'PAYLOAD_TOO_LARGE' };
  expect(await raw({}, [body.slice(0, 16_000), body.slice(16_000)])).toEqual(refused);
  await nothingWritten();
});

test('a body of a megabyte is answered with 413, not with a broken connection', async () => {
  const answer = await service.api.update(journey.trainerToken, bodyOf(1024 * 1024));
  expect(refusal(answer)).toMatchObject({ status: 413, code: 'PAYLOAD_TOO_LARGE' });
});

test('a large body without a token is refused for the token', async () => {
  const answer = await service.api.call('POST', UPDATES, { body: bodyOf(LIMIT + 1) });
  expect(refusal(answer)).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
});

const wrongTypes = [
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'text/html',
];
test.each([...wrongTypes, 'application/octet-stream', 'application/jsonp', 'json', '*/*'])(
  'a body said to be %s is refused, and nothing changes',
  async (type) => {
    const answer = await service.api.update(journey.trainerToken, bodyOf(300), { 'Content-Type': type });
    expect(refusal(answer)).toMatchObject({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' });
    await nothingWritten();
  },
);

test('a body of no type at all is refused', async () => {
  const answer = await rawRequest(service.url, UPDATES, {
    headers: { Authorization: `Bearer ${journey.trainerToken}` },
    chunks: [bodyOf(300)],
  });
  expect([answer.status, answer.text]).toEqual([415, expect.stringContaining('UNSUPPORTED_MEDIA_TYPE')]);
});

test.each(['application/json; charset=utf-8', 'application/json;charset=UTF-8', 'Application/JSON'])(
  'a body said to be %s is taken',
  async (type) => {
    expect(
      (await service.api.update(journey.trainerToken, bodyOf(300), { 'Content-Type': type })).status,
    ).toBe(201);
  },
);

test.each(['utf-16', 'x-unknown'])('a body in the charset %s is refused', async (charset) => {
  const type = `application/json; charset=${charset}`;
  const answer = await service.api.update(journey.trainerToken, bodyOf(300), { 'Content-Type': type });
  expect(refusal(answer)).toMatchObject({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' });
});

test.each(['x-unknown', 'compress', 'gzip, gzip'])(
  'a body in the encoding %s is refused',
  async (encoding) => {
    expect(await raw({ 'Content-Encoding': encoding }, [bodyOf(300)])).toEqual({
      status: 415,
      code: 'UNSUPPORTED_MEDIA_TYPE',
    });
    await nothingWritten();
  },
);

test('a body said to be compressed and not so is refused', async () => {
  const { status } = await raw({ 'Content-Encoding': 'gzip' }, [bodyOf(300)]);
  expect([400, 415]).toContain(status);
  await nothingWritten();
});

test('a small compressed body that grows over 16 KiB is refused', async () => {
  const { status } = await raw({ 'Content-Encoding': 'gzip' }, [gzipSync(bodyOf(1024 * 1024))]);
  expect([413, 415]).toContain(status);
  await nothingWritten();
});

test('bytes that are no UTF-8 do no harm', async () => {
  const { status } = await raw({}, [Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])]);
  expect(status).toBe(400);
});

test.each(['start-journey', 'stop-journey'])('%s takes an empty JSON object as its body', async (call) => {
  const session = call === 'start-journey' ? await aJourney(service.api) : journey;
  if (call === 'start-journey') await service.api.stop(session.sessionId, session.trainerToken);
  const answer = await service.api.call('POST', `/api/v1/admin/sessions/${session.sessionId}/${call}`, {
    token: session.trainerToken,
    body: {},
  });
  expect(answer.body['success']).toBe(true);
});

test.each(['start-journey', 'arrived', 'stop-journey'])(
  'a body of over 16 KiB in chunks is refused by %s too, which takes none',
  async (call) => {
    const { sessionId, trainerToken } = journey;
    const answer = await rawRequest(service.url, `/api/v1/admin/sessions/${sessionId}/${call}`, {
      headers: { Authorization: `Bearer ${trainerToken}` },
      chunks: ['x'.repeat(20_000), 'x'.repeat(20_000)],
    });
    expect(answer.status).toBe(413);
  },
);

test('what is no HTTP is answered 400 in the same envelope', async () => {
  expect(JSON.parse(await brokenAnswer())).toMatchObject({
    success: false,
    error: { code: 'VALIDATION_FAILED' },
  });
});

function brokenAnswer(): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => {
      resolve(answer.slice(answer.indexOf('\r\n\r\n') + 4));
    });
    socket.end('this is no HTTP\r\n\r\n');
  });
}

import { gzipSync } from 'node:zlib';
import { aJourney } from '../support/a-journey.js';
import { HOME, type ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { RawConnection, rawRequest } from '../support/raw-http.js';
import { exists, keyOf } from '../support/redis-of-the-run.js';
import { runService, type RunningService } from '../support/running-service.js';
import { until } from '../support/until.js';

let service: RunningService;
let journey: ASession;
beforeAll(async () => {
  service = await runService();
});
afterAll(() => service.stop());
beforeEach(async () => {
  journey = await aJourney(service.api);
});

const here = { latitude: HOME.latitude, longitude: HOME.longitude };
const update = (body: unknown, headers?: Record<string, string>) =>
  service.api.update(journey.trainerToken, body, headers);
const shown = async () => data(await service.api.live(journey.sessionId, journey.studentToken))['location'];

async function nothingWritten(): Promise<void> {
  expect(await exists(keyOf.location(journey.trainerId, journey.sessionId))).toBe(false);
  expect(await exists(keyOf.rate(journey.trainerId, journey.sessionId))).toBe(false);
}

/** As JSON text, because 1e999 is no value of JavaScript's own. */
function bodyWith(session: ASession, field: string, json: string | undefined): string {
  const fields: Record<string, string> = {
    sessionId: JSON.stringify(session.sessionId),
    latitude: String(here.latitude),
    longitude: String(here.longitude),
  };
  if (json === undefined) Reflect.deleteProperty(fields, field);
  else fields[field] = json;
  const members = Object.entries(fields).map(([name, value]) => `${JSON.stringify(name)}:${value}`);
  return `{${members.join(',')}}`;
}

const wrongJson = ['"12.5"', 'true', '[12.5]'];
const notFinite = ['1e999', '-1e999'];
const wrongValues: Record<string, (string | undefined)[]> = {
  sessionId: [undefined, 'null', '12', '""', '"abc"', '"1111111111111111111111111111111111"'],
  latitude: [undefined, 'null', ...wrongJson, ...notFinite, '90.0001', '-90.0001', '1e308'],
  longitude: [undefined, 'null', ...wrongJson, ...notFinite, '180.0001', '-180.0001', '-1e308'],
  accuracy: [...wrongJson, '{}'],
  speed: wrongJson,
  heading: wrongJson,
  sequence: [...wrongJson, ...notFinite, '-1', '1.5', '9007199254740992', '1e30'],
  ageMs: wrongJson,
  mocked: ['"true"', '1', '{}'],
};
const wrong = Object.entries(wrongValues).flatMap(([field, values]) =>
  values.map((json) => ({ field, json })),
);

test.each(wrong)(
  'an update whose $field is $json is refused, the field named and nothing changed',
  async ({ field, json }) => {
    const refused = { status: 400, code: 'VALIDATION_FAILED', details: [{ path: field }] };
    expect(refusal(await update(bodyWith(journey, field, json)))).toMatchObject(refused);
    await nothingWritten();
  },
);

test.each([
  [0, 0],
  [-0, 0],
])('the position %d,%d, which phones send without a fix, is refused and does not count', async (...place) => {
  const [latitude, longitude] = place.map(String);
  const nowhere = { sessionId: journey.sessionId, accuracy: 0, sequence: 1 };
  const body = JSON.stringify(nowhere).replace('{', `{"latitude":${latitude},"longitude":${longitude},`);
  expect(refusal(await update(body))).toMatchObject({
    ...{ status: 400, code: 'VALIDATION_FAILED' },
    details: [{ path: 'latitude' }, { path: 'longitude' }],
  });
  await nothingWritten();
  expect((await update({ ...nowhere, ...here })).status).toBe(201);
});

test('all bad fields of one update are named', async () => {
  const position = { sessionId: 'x', latitude: 91, longitude: '77', accuracy: [] };
  const { details } = refusal(await update({ ...position, sequence: -1, ageMs: '1', mocked: 1 }));
  const paths = (details as { path: string }[]).map(({ path }) => path).sort();
  expect(paths).toEqual(['accuracy', 'ageMs', 'latitude', 'longitude', 'mocked', 'sequence', 'sessionId']);
});

const goodValues: Record<string, string[]> = {
  latitude: ['90', '-90', '0', '-0', '1.29716e1'],
  longitude: ['180', '-180', '0'],
  accuracy: ['0', '4.5', '1e308'],
  speed: ['0', '33.3', '1e308'],
  heading: ['0', '360', '359.99'],
  sequence: ['0', '-0', '9007199254740991', 'null'],
  ageMs: ['0', '300000', '12.5', '0.4', '299999.9', 'null', '-1', '-1e999'],
  mocked: ['false', 'null'],
};
const good = Object.entries(goodValues).flatMap(([field, values]) => values.map((json) => ({ field, json })));

test.each(good)('an update whose $field is $json is accepted', async ({ field, json }) => {
  const answer = await update(bodyWith(journey, field, json));
  expect(data(answer)).toMatchObject({ sessionId: journey.sessionId, ttl: 300, nextUpdateMs: 5000 });
  expect((await service.api.live(journey.sessionId, journey.studentToken)).status).toBe(200);
});

const unknown = [
  ...['accuracy', 'speed', 'heading'].flatMap((field) =>
    ['null', '-1', '-0.001', '-1e999'].map((json) => ({ field, json })),
  ),
  ...['360.0000001', '361', '1e999'].map((json) => ({ field: 'heading', json })),
  { field: 'speed', json: '1e999' },
  { field: 'sequence', json: 'null' },
];

test.each(unknown)('a $field of $json is unknown, and is not shown', async ({ field, json }) => {
  data(await update(bodyWith(journey, field, json)));
  const location = await shown();
  expect(location).toMatchObject(here);
  expect(location).not.toHaveProperty(field);
});

test.each(['1e9', '1e308', '1e999'])(
  'an accuracy of %s is a coarse position, not a precise one',
  async (json) => {
    data(await update(bodyWith(journey, 'accuracy', json)));
    const answer = await service.api.arrived(journey.sessionId, journey.trainerToken);
    expect(refusal(answer)).toMatchObject({ status: 400, code: 'LOCATION_UNKNOWN' });
  },
);

test.each(['300001', '300000.6', '1e15', '1e30', '1e999'])(
  'an ageMs of %s is stale, not invalid',
  async (json) => {
    const answer = await update(bodyWith(journey, 'ageMs', json));
    expect(refusal(answer)).toMatchObject({ status: 409, code: 'LOCATION_STALE' });
    await nothingWritten();
  },
);

test('explicit nulls in every optional field are as good as no fields', async () => {
  const nulls = { accuracy: null, speed: null, heading: null, sequence: null, ageMs: null, mocked: null };
  data(await update({ sessionId: journey.sessionId, ...here, ...nulls }));
  expect(Object.keys((await shown()) as object).sort()).toEqual(['latitude', 'longitude', 'timestamp']);
});

test('each number is shown as it was sent, to the last digit', async () => {
  const position = {
    latitude: 12.971598765432123,
    longitude: -77.59456612345679,
    accuracy: 4.123456789012345,
    speed: 13.888888888888889,
    heading: 271.12345678901234,
    sequence: Number.MAX_SAFE_INTEGER,
  };
  data(await update({ sessionId: journey.sessionId, ...position }));
  expect(await shown()).toMatchObject(position);
});

test('fields that are not known are ignored, whatever they are', async () => {
  const body = {
    ...{ sessionId: journey.sessionId, ...here, trainerId: 'someone else', timestamp: 'yesterday' },
    ...{ altitude: null, extra: { deep: [[{}]] }, ttl: -1 },
  };
  const text = JSON.stringify(body).replace('{', '{"__proto__":{"mocked":true},"constructor":1,');
  data(await update(text));
  const { location, trainerId } = data(await service.api.live(journey.sessionId, journey.studentToken));
  expect(trainerId).toBe(journey.trainerId);
  expect(Object.keys(location as object).sort()).toEqual(['latitude', 'longitude', 'timestamp']);
});

test('an upper-case sessionId means the same session', async () => {
  const answer = await update({ sessionId: journey.sessionId.toUpperCase(), ...here });
  expect(data(answer)).toMatchObject({ sessionId: journey.sessionId });
  expect(await exists(keyOf.location(journey.trainerId, journey.sessionId))).toBe(true);
});

const notObjects: [what: string, body: string][] = [
  ['empty', ''],
  ['blank', '   '],
  ['not JSON', '{'],
  ['JSON with a comma too many', '{"sessionId":"x",}'],
  ['an array', '[]'],
  ['null', 'null'],
  ['an empty object', '{}'],
  ['a thousand brackets', '['.repeat(1000)],
  ['nested eight thousand deep', '['.repeat(8000) + ']'.repeat(8000)],
  ['a form', 'latitude=12&longitude=77'],
  ['a null byte', '\u0000'],
];

test.each(notObjects)('a body that is %s is refused, and nothing changes', async (_what, body) => {
  expect(refusal(await update(body))).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
  await nothingWritten();
});

test('a mocked position is refused, and nothing changes', async () => {
  const answer = await update({ sessionId: journey.sessionId, ...here, mocked: true });
  expect(refusal(answer)).toMatchObject({ status: 400, code: 'LOCATION_MOCKED' });
  await nothingWritten();
});

const UPDATES = '/api/v1/admin/location-tracking/journey/updates';
const LIMIT = 16 * 1024;

/** A good update of exactly so many bytes, most of them in a field that is not known. */
function bodyOf(bytes: number): string {
  const body = { sessionId: journey.sessionId, ...here, padding: '' };
  return JSON.stringify({ ...body, padding: 'x'.repeat(bytes - JSON.stringify(body).length) });
}

/** A call with these headers and this body; the trainer's and JSON by default. */
async function raw(headers: Record<string, string>, chunks: (string | Buffer)[], path = UPDATES) {
  const type = { Authorization: `Bearer ${journey.trainerToken}`, 'Content-Type': 'application/json' };
  const answer = await rawRequest(service.url, path, { headers: { ...type, ...headers }, chunks });
  const body = JSON.parse(answer.text) as { success: boolean; error?: { code: string } };
  return { status: answer.status, code: body.error?.code };
}

const inTwo = (body: string) => [body.slice(0, 100), body.slice(100)];
const sized = (body: string) => ({ 'Content-Length': String(body.length) });

test('a body of 16 KiB is accepted, of a given length or chunked', async () => {
  expect(await raw(sized(bodyOf(LIMIT)), [bodyOf(LIMIT)])).toMatchObject({ status: 201 });
  journey = await aJourney(service.api);
  expect(await raw({}, inTwo(bodyOf(LIMIT)))).toMatchObject({ status: 201 });
});

test.each([LIMIT + 1, 1024 * 1024])(
  'a body of %d bytes is 413, of a given length or chunked',
  async (bytes) => {
    const refused = { status: 413, code: 'PAYLOAD_TOO_LARGE' };
    expect(await raw(sized(bodyOf(bytes)), [bodyOf(bytes)])).toEqual(refused);
    expect(await raw({}, inTwo(bodyOf(bytes)))).toEqual(refused);
    await nothingWritten();
  },
);

test('a large body without a token is refused for the token', async () => {
  const answer = await service.api.call('POST', UPDATES, { body: bodyOf(LIMIT + 1) });
  expect(refusal(answer)).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
});

test.each([
  ['Content-Type', 'text/plain'],
  ['Content-Type', 'application/x-www-form-urlencoded'],
  ['Content-Type', 'multipart/form-data; boundary=x'],
  ['Content-Type', 'application/jsonp'],
  ['Content-Type', '*/*'],
  ['Content-Type', ''],
  ['Content-Type', 'application/json; charset=utf-16'],
  ['Content-Type', 'application/json; charset=x-unknown'],
  ['Content-Type', 'application/json; odata=verbose; charset=iso-8859-1'],
  ['Content-Type', 'application/json; charset=utf-80'],
  ['Content-Encoding', 'x-unknown'],
  ['Content-Encoding', 'compress'],
  ['Content-Encoding', 'gzip'],
  ['Content-Encoding', 'br'],
  ['Content-Encoding', 'gzip, gzip'],
])('a body with %s: %s is 415, and nothing changes', async (header, value) => {
  const refused = { status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' };
  expect(await raw({ [header]: value }, [bodyOf(300)])).toEqual(refused);
  await nothingWritten();
});

test.each([
  ['Content-Type', 'application/json; charset=utf-8'],
  ['Content-Type', 'application/json;charset=UTF-8'],
  ['Content-Type', 'Application/JSON'],
  ['Content-Type', 'application/json; charset=utf8'],
  ['Content-Type', 'application/json; charset="UTF8" ; odata=verbose'],
  ['Content-Type', 'application/json; odata=verbose'],
  ['Content-Type', 'application/json ;odata.metadata=minimal;IEEE754Compatible=false; charset = utf-8'],
  ['Content-Type', 'application/json; profile="a;b"; v=2;'],
  ['Content-Encoding', 'identity'],
  ['Content-Encoding', 'Identity'],
])('a body with %s: %s is accepted', async (header, value) => {
  expect((await update(bodyOf(300), { [header]: value })).status).toBe(201);
});

test('a byte order mark before the body is skipped, one only', async () => {
  expect((await update(`\uFEFF${bodyOf(300)}`)).status).toBe(201);
  journey = await aJourney(service.api);
  expect((await update(`\uFEFF\uFEFF${bodyOf(300)}`)).status).toBe(400);
});

test.each([
  ['that is not compressed although it says so', () => bodyOf(300), [400, 415]],
  ['that grows over 16 KiB', () => gzipSync(bodyOf(1024 * 1024)), [413, 415]],
])('a compressed body %s is refused', async (_what, body, statuses) => {
  const { status } = await raw({ 'Content-Encoding': 'gzip' }, [body()]);
  expect(statuses).toContain(status);
  await nothingWritten();
});

test('a body that is not UTF-8 is 400', async () => {
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
  'a body of over 16 KiB in chunks is 413 for %s, too',
  async (call) => {
    const path = `/api/v1/admin/sessions/${journey.sessionId}/${call}`;
    const chunks = ['x'.repeat(20_000), 'x'.repeat(20_000)];
    expect((await raw({}, chunks, path)).status).toBe(413);
  },
);

test('a request that is not HTTP is 400 in the same envelope', async () => {
  const connection = new RawConnection(service.url, 'this is no HTTP\r\n\r\n');
  await until('it is answered', () => connection.isEnded);
  connection.close();
  const [, body = ''] = connection.text.split('\r\n\r\n');
  expect(JSON.parse(body)).toMatchObject({ success: false, error: { code: 'VALIDATION_FAILED' } });
});

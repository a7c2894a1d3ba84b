import { aJourney } from '../support/a-journey.js';
import { HOME, type ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { exists, keyOf } from '../support/redis-of-the-run.js';
import { runService, type RunningService } from '../support/running-service.js';

let service: RunningService;
beforeAll(async () => {
  service = await runService();
});
afterAll(() => service.stop());

const here = { latitude: HOME.latitude, longitude: HOME.longitude };

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

const wrongTypes = ['"12.5"', '""', 'true', '[]', '[12.5]', '{}'];
const notFinite = ['1e999', '-1e999'];
const wrongValues: Record<string, (string | undefined)[]> = {
  sessionId: [
    undefined,
    'null',
    '12',
    'true',
    '[]',
    '{}',
    '""',
    '"abc"',
    '"1111111111111111111111111111111111"',
  ],
  latitude: [undefined, 'null', ...wrongTypes, ...notFinite, '90.0001', '-90.0001', '1e308'],
  longitude: [undefined, 'null', ...wrongTypes, ...notFinite, '180.0001', '-180.0001', '-1e308'],
  accuracy: [...wrongTypes, ...notFinite],
  speed: [...wrongTypes, ...notFinite],
  heading: [...wrongTypes, ...notFinite, '360.5', '1e308'],
  sequence: ['null', ...wrongTypes, ...notFinite, '-1', '1.5', '9007199254740992', '1e30'],
  ageMs: ['null', ...wrongTypes, ...notFinite, '-1', '0.5', '1e30'],
  mocked: ['null', '"true"', '"false"', '0', '1', '[]', '{}'],
};
const wrong = Object.entries(wrongValues).flatMap(([field, values]) =>
  values.map((json) => ({ field, json })),
);

test.each(wrong)(
  'an update whose $field is $json is refused, the field named and nothing changed',
  async ({ field, json }) => {
    const journey = await aJourney(service.api);
    const answer = await service.api.update(journey.trainerToken, bodyWith(journey, field, json));
    expect(refusal(answer)).toMatchObject({
      status: 400,
      code: 'VALIDATION_FAILED',
      details: [{ path: field }],
    });
    expect(await exists(keyOf.location(journey.trainerId, journey.sessionId))).toBe(false);
    expect(await exists(keyOf.rate(journey.trainerId, journey.sessionId))).toBe(false);
    expect(await exists(keyOf.active(journey.sessionId))).toBe(true);
  },
);

test('all bad fields of one update are named', async () => {
  const { trainerToken } = await aJourney(service.api);
  const body = {
    sessionId: 'x',
    latitude: 91,
    longitude: '77',
    accuracy: [],
    sequence: -1,
    ageMs: null,
    mocked: 1,
  };
  const { details } = refusal(await service.api.update(trainerToken, body));
  const paths = (details as { path: string }[]).map(({ path }) => path).sort();
  expect(paths).toEqual(['accuracy', 'ageMs', 'latitude', 'longitude', 'mocked', 'sequence', 'sessionId']);
});

const goodValues: Record<string, string[]> = {
  latitude: ['90', '-90', '0', '-0', '1.29716e1'],
  longitude: ['180', '-180', '0'],
  accuracy: ['0', '4.5', '1e308'],
  speed: ['0', '33.3', '1e308'],
  heading: ['0', '360', '359.99'],
  sequence: ['0', '9007199254740991'],
  ageMs: ['0', '300000'],
  mocked: ['false'],
};
const good = Object.entries(goodValues).flatMap(([field, values]) => values.map((json) => ({ field, json })));

test.each(good)('an update whose $field is $json is taken', async ({ field, json }) => {
  const journey = await aJourney(service.api);
  const answer = await service.api.update(journey.trainerToken, bodyWith(journey, field, json));
  expect(data(answer)).toMatchObject({ sessionId: journey.sessionId, ttl: 300, nextUpdateMs: 5000 });
  expect((await service.api.live(journey.sessionId, journey.studentToken)).status).toBe(200);
});

const unknown = ['accuracy', 'speed', 'heading'].flatMap((field) =>
  ['null', '-1', '-0.5', '-1e308'].map((json) => ({ field, json })),
);

test.each(unknown)('a $field of $json is unknown, and is not shown', async ({ field, json }) => {
  const journey = await aJourney(service.api);
  data(await service.api.update(journey.trainerToken, bodyWith(journey, field, json)));
  const { location } = data(await service.api.live(journey.sessionId, journey.studentToken));
  expect(location).not.toHaveProperty(field);
});

test('what is not sent is not shown', async () => {
  const journey = await aJourney(service.api);
  data(await service.api.update(journey.trainerToken, { sessionId: journey.sessionId, ...here }));
  const { location } = data(await service.api.live(journey.sessionId, journey.studentToken));
  expect(Object.keys(location as object).sort()).toEqual(['latitude', 'longitude', 'timestamp']);
});

test('each number is shown as it was sent, to the last digit', async () => {
  const journey = await aJourney(service.api);
  const position = {
    latitude: 12.971598765432123,
    longitude: -77.59456612345679,
    accuracy: 4.123456789012345,
    speed: 13.888888888888889,
    heading: 271.12345678901234,
    sequence: Number.MAX_SAFE_INTEGER,
  };
  data(await service.api.update(journey.trainerToken, { sessionId: journey.sessionId, ...position }));
  const { location } = data(await service.api.live(journey.sessionId, journey.studentToken));
  expect(location).toMatchObject(position);
});

test('fields that are not known are ignored, whatever they are', async () => {
  const journey = await aJourney(service.api);
  const body = {
    ...{ sessionId: journey.sessionId, ...here },
    ...{
      trainerId: 'someone else',
      timestamp: 'yesterday',
      altitude: null,
      extra: { deep: [[{}]] },
      ttl: -1,
    },
  };
  const text = JSON.stringify(body).replace('{', '{"__proto__":{"mocked":true},"constructor":1,');
  data(await service.api.update(journey.trainerToken, text));
  const { location, trainerId } = data(await service.api.live(journey.sessionId, journey.studentToken));
  expect(trainerId).toBe(journey.trainerId);
  expect(Object.keys(location as object).sort()).toEqual(['latitude', 'longitude', 'timestamp']);
});

test('an upper-case sessionId means the same session', async () => {
  const journey = await aJourney(service.api);
  const answer = await service.api.update(journey.trainerToken, {
    sessionId: journey.sessionId.toUpperCase(),
    ...here,
  });
  expect(data(answer)).toMatchObject({ sessionId: journey.sessionId });
  expect(await exists(keyOf.location(journey.trainerId, journey.sessionId))).toBe(true);
});

const notObjects: [what: string, body: string][] = [
  ['empty', ''],
  ['blank', '   '],
  ['not JSON', '{'],
  ['JSON with a comma too many', '{"sessionId":"x",}'],
  ['two documents', '{}{}'],
  ['NaN', '{"latitude":NaN}'],
  ['an array', '[]'],
  ['an array of updates', '[{"latitude":1,"longitude":1}]'],
  ['null', 'null'],
  ['text', '"update"'],
  ['a number', '12'],
  ['true', 'true'],
  ['an empty object', '{}'],
  ['a thousand brackets', '['.repeat(1000)],
  ['nested eight thousand deep', '['.repeat(8000) + ']'.repeat(8000)],
  ['a form', 'latitude=12&longitude=77'],
  ['a null byte', '\u0000'],
];

test.each(notObjects)('a body that is %s is refused, and nothing changes', async (_what, body) => {
  const journey = await aJourney(service.api);
  const answer = await service.api.update(journey.trainerToken, body);
  expect(refusal(answer)).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
  expect(await exists(keyOf.location(journey.trainerId, journey.sessionId))).toBe(false);
});

test('a mocked position is refused, and nothing changes', async () => {
  const journey = await aJourney(service.api);
  const answer = await service.api.update(journey.trainerToken, {
    sessionId: journey.sessionId,
    ...here,
    mocked: true,
  });
  expect(refusal(answer)).toMatchObject({ status: 400, code: 'LOCATION_MOCKED' });
  expect(await exists(keyOf.location(journey.trainerId, journey.sessionId))).toBe(false);
  expect(await exists(keyOf.rate(journey.trainerId, journey.sessionId))).toBe(false);
});

import { aJourney } from '../support/a-journey.js';
import { aSession, HOME, metersNorth, sessionsPool, type ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { runService, type RunningService } from '../support/running-service.js';
import { until } from '../support/until.js';

let service: RunningService;
beforeAll(async () => {
  service = await runService();
});
afterAll(() => service.stop());

const errorsOf = ({ sessionId }: ASession) =>
  service.logLines().filter((line) => line['level'] === 'error' && JSON.stringify(line).includes(sessionId));

const garbage: [what: string, home: unknown][] = [
  ['a text', '12.9716, 77.5946'],
  ['a number', 12.9716],
  ['true', true],
  ['an empty object', {}],
  ['an empty array', []],
  ['an array of two numbers', [12.9716, 77.5946]],
  ['an array of a home', [HOME]],
  ['strings for numbers', { latitude: '12.9716', longitude: '77.5946' }],
  ['null for a number', { latitude: null, longitude: 77.5946 }],
  ['one number only', { latitude: 12.9716 }],
  ['other names', { lat: 12.9716, lng: 77.5946 }],
  ['a latitude out of range', { latitude: 90.1, longitude: 77.5946 }],
  ['a longitude out of range', { latitude: 12.9716, longitude: -180.1 }],
  ['a number over all', { latitude: 1e300, longitude: 1e300 }],
  ['a home within a home', { home: HOME }],
  ['objects for numbers', { latitude: {}, longitude: [] }],
];

describe.each(garbage)('a home that is %s', (_what, home) => {
  test('does not keep a journey from its start, but from its arrival, and is logged as an error', async () => {
    const journey = await aJourney(service.api, { home });
    const { sessionId, trainerToken, studentToken } = journey;
    await until('it is logged', () => errorsOf(journey).length > 0);
    data(await service.api.update(trainerToken, { sessionId, ...metersNorth(10), speed: 5 }));
    const live = data(await service.api.live(sessionId, studentToken));
    expect(live).toMatchObject({ isActive: true, distanceMeters: null, etaSeconds: null });
    expect(refusal(await service.api.arrived(sessionId, trainerToken))).toMatchObject({
      status: 400,
      code: 'LOCATION_UNKNOWN',
    });
    data(await service.api.stop(sessionId, trainerToken));
  });

  test('does not keep anyone from looking before the start', async () => {
    const session = await aSession({ home });
    expect(data(await service.api.live(session.sessionId, session.studentToken))).toMatchObject({
      isActive: false,
    });
  });
});

test.each([
  ['SQL', null],
  ['JSON', 'null'],
])("a home that is %s' null is none, and no error", async (kind, home) => {
  const session = await aSession({ home: null });
  if (kind === 'JSON') {
    const query = 'update tutoring_sessions set student_home_location = $2::jsonb where id = $1';
    await sessionsPool().query(query, [session.sessionId, home]);
  }
  const { sessionId, trainerToken } = session;
  data(await service.api.start(sessionId, trainerToken));
  data(await service.api.update(trainerToken, { sessionId, ...metersNorth(10) }));
  expect(refusal(await service.api.arrived(sessionId, trainerToken))).toMatchObject({
    code: 'LOCATION_UNKNOWN',
  });
  expect(errorsOf(session)).toEqual([]);
});

test.each([
  ['more fields', { ...HOME, placeId: 'x', geo: { type: 'Point' }, floor: null }],
  ['no address', { latitude: HOME.latitude, longitude: HOME.longitude }],
  ['whole numbers', { latitude: 13, longitude: 78 }],
  ['the corner of the world', { latitude: -90, longitude: 180 }],
])('a home with %s is a home', async (_what, home) => {
  const journey = await aJourney(service.api, { home });
  const { sessionId, trainerToken } = journey;
  const position = { latitude: home.latitude, longitude: home.longitude };
  data(await service.api.update(trainerToken, { sessionId, ...position }));
  expect(data(await service.api.arrived(sessionId, trainerToken))).toMatchObject({ distance: 0 });
  expect(errorsOf(journey)).toEqual([]);
});

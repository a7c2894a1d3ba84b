import { aJourney } from '../support/a-journey.js';
import { metersNorth, type ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { runService, type RunningService } from '../support/running-service.js';
import { until } from '../support/until.js';

/** Journeys whose record the version before wrote; goes with scripts/includes/old_track.lua. */
let redis: PrivateRedis;
let service: RunningService;
beforeAll(async () => {
  redis = await startPrivateRedis();
  service = await runService({ settings: { REDIS_URL: redis.url, JOURNEY_TTL_SECONDS: '2' } });
});
afterAll(async () => {
  await service.stop();
  await redis.stop();
});

const AS_BEFORE = `
  local track = cmsgpack.unpack(redis.call('GET', KEYS[1]))
  redis.call('SET', KEYS[1], struct.pack('>BBddddddddddfffffffc36c36', 2, 0, track.startMs, track.endMs, 999, 0,
    7, track.startMs, track.startMs, 0, 0, -1, -1, 0, 0, 0, -1, 0, 5000, track.trainerId, track.studentId), 'KEEPTTL')
  redis.call('ZREM', 'journey:expiries', ARGV[1])
  redis.call('ZADD', 'journey:deadlines', track.endMs, ARGV[1])`;

/** Its last sequence is 7. */
async function aJourneyOfTheVersionBefore(): Promise<ASession> {
  const session = await aJourney(service.api);
  const { sessionId } = session;
  await redis.client.eval(AS_BEFORE, 1, `journey:track:${sessionId}`, sessionId);
  return session;
}

const post = ({ sessionId, trainerToken }: ASession, sequence: number) =>
  service.api.update(trainerToken, { sessionId, ...metersNorth(50), sequence });
const ends = ({ sessionId }: ASession) =>
  service.eventsOf(sessionId).filter(({ detailType }) => detailType === 'TrainerJourneyEnded');

test.concurrent('its last sequence is known', async () => {
  const answer = await post(await aJourneyOfTheVersionBefore(), 6);
  expect(refusal(answer)).toMatchObject({ code: 'LOCATION_STALE', details: { lastSequence: 7 } });
});

test.concurrent('an update moves its expiry out of reach of the version before', async () => {
  const session = await aJourneyOfTheVersionBefore();
  data(await post(session, 8));
  expect(await redis.client.zscore('journey:deadlines', session.sessionId)).toBeNull();
  expect(await redis.client.zscore('journey:expiries', session.sessionId)).not.toBeNull();
});

test.concurrent.each([
  ['with', true],
  ['without', false],
])('at its limit it is ended once, %s an update since', async (_word, isUpdated) => {
  const session = await aJourneyOfTheVersionBefore();
  if (isUpdated) data(await post(session, 8));
  await until('its end', () => ends(session).length > 0);
  expect(ends(session).map(({ detail }) => detail['reason'])).toEqual(['timeout']);
  for (const set of ['journey:deadlines', 'journey:expiries'])
    expect(await redis.client.zscore(set, session.sessionId)).toBeNull();
});

test.concurrent('after a stop it is not ended again', async () => {
  const session = await aJourneyOfTheVersionBefore();
  data(await service.api.stop(session.sessionId, session.trainerToken));
  expect(await redis.client.zscore('journey:deadlines', session.sessionId)).toBeNull();
});

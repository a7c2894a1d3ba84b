import { aSession, metersNorth, type ASession } from '../support/a-session.js';
import { aJourney, setStatus } from '../support/a-journey.js';
import { data, refusal } from '../support/api.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { keyOf } from '../support/redis-of-the-run.js';
import { runService, type RunningService } from '../support/running-service.js';
import { until } from '../support/until.js';

/** Another version of the service beside this one, which knows the keys that the contract names and no others. */
let redis: PrivateRedis;
let service: RunningService;
beforeAll(async () => {
  redis = await startPrivateRedis();
  service = await runService({ settings: { REDIS_URL: redis.url, JOURNEY_TTL_SECONDS: '1' } });
});
afterAll(async () => {
  await service.stop();
  await redis.stop();
});

const ids = ({ sessionId, trainerId, studentId }: ASession) => ({ sessionId, trainerId, studentId });
const endsOf = ({ sessionId }: ASession) =>
  service.eventsOf(sessionId).filter(({ detailType }) => detailType === 'TrainerJourneyEnded');

async function endElsewhere(session: ASession): Promise<void> {
  const ended = { ...ids(session), endedAt: new Date().toISOString(), reason: 'arrived' };
  await redis.client.del(keyOf.active(session.sessionId), keyOf.meta(session.sessionId));
  await redis.client.set(keyOf.ended(session.sessionId), JSON.stringify(ended), 'EX', 300);
}

async function startElsewhere(session: ASession, seconds: number): Promise<void> {
  const startedAt = new Date().toISOString();
  const active = { ...ids(session), startedAt, status: 'in_progress' };
  await redis.client.del(keyOf.ended(session.sessionId));
  await redis.client.set(keyOf.active(session.sessionId), JSON.stringify(active), 'EX', seconds);
}

const isSwept = async ({ sessionId }: ASession) =>
  (await redis.client.zscore('journey:expiries', sessionId)) === null;

test.concurrent('a journey that another version ended is not ended again by its limit', async () => {
  const session = await aJourney(service.api);
  await endElsewhere(session);
  await until('its deadline is gone', () => isSwept(session));
  expect(endsOf(session)).toEqual([]);
  const live = data(await service.api.live(session.sessionId, session.studentToken));
  expect(live).toMatchObject({ isActive: false, endedReason: 'arrived' });
});

test.concurrent(
  'the limit of an earlier journey does not end the one that another version started',
  async () => {
    const session = await aJourney(service.api);
    await endElsewhere(session);
    await startElsewhere(session, 100);
    await until('the deadline is gone', () => isSwept(session));
    const live = data(await service.api.live(session.sessionId, session.studentToken));
    expect(live).toMatchObject({ isActive: true });
  },
);

test.concurrent('a start after an end by another version gives no second end', async () => {
  const session = await aJourney(service.api);
  await endElsewhere(session);
  data(await service.api.start(session.sessionId, session.trainerToken));
  await until('both starts', () => service.eventsOf(session.sessionId).length >= 2);
  expect(service.eventsOf(session.sessionId).map(({ detailType }) => detailType)).toEqual([
    'TrainerJourneyStarted',
    'TrainerJourneyStarted',
  ]);
});

test.concurrent(
  'a journey of another version that is updated here ends with its limit, and leaves no location',
  async () => {
    const session = await aSession();
    await startElsewhere(session, 1);
    data(
      await service.api.update(session.trainerToken, { sessionId: session.sessionId, ...metersNorth(100) }),
    );
    const [end] = await until('its end', () => endsOf(session).length === 1 && endsOf(session));
    expect(end?.detail).toMatchObject({ ...ids(session), reason: 'timeout' });
    expect(await redis.client.exists(keyOf.location(session.trainerId, session.sessionId))).toBe(0);
    expect(refusal(await service.api.stop(session.sessionId, session.trainerToken)).code).toBe(
      'JOURNEY_ENDED',
    );
  },
);

test.concurrent('a start leaves nothing of an earlier position, whoever took it', async () => {
  const session = await aSession();
  const location = {
    ...metersNorth(900),
    timestamp: new Date().toISOString(),
    sequence: 700,
    ...ids(session),
  };
  const key = keyOf.location(session.trainerId, session.sessionId);
  await redis.client.set(key, JSON.stringify(location), 'EX', 300);
  data(await service.api.start(session.sessionId, session.trainerToken));
  expect(data(await service.api.live(session.sessionId, session.studentToken))).toMatchObject({
    location: null,
  });
});

test.concurrent(
  'a record that cannot be read holds up no other deadline, and is told in the log',
  async () => {
    const [broken, sound] = [await aJourney(service.api), await aJourney(service.api)];
    await redis.client.del(`journey:track:${broken.sessionId}`);
    await redis.client.lpush(`journey:track:${broken.sessionId}`, 'no record');
    await until('the other ends', () => endsOf(sound).length === 1);
    await until('the error is told', () =>
      service.logLines().some((line) => line['level'] === 'error' && line['sessionId'] === broken.sessionId),
    );
  },
);

test.concurrent(
  "a second start is already active although the platform has moved the session's status on",
  async () => {
    const session = await aJourney(service.api);
    await setStatus(session, 'in_progress');
    const second = await service.api.start(session.sessionId, session.trainerToken);
    expect(refusal(second)).toMatchObject({ status: 409, code: 'JOURNEY_ALREADY_ACTIVE' });
  },
);

import { aJourney } from '../support/a-journey.js';
import { metersNorth, type ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { PipelinedConnection } from '../support/raw-http.js';
import { keyOf, sharedRedis } from '../support/redis-of-the-run.js';
import { metric, runService, type RunningService } from '../support/running-service.js';
import { until } from '../support/until.js';
import { manyOf } from '../support/waiting-polls.js';

/** More than a batch. */
const AT_ONCE = 40;

let service: RunningService;
let sessions: ASession[];
let broken: ASession;
beforeEach(async () => {
  service = await runService();
  sessions = await manyOf(AT_ONCE, () => aJourney(service.api));
  broken = await aJourney(service.api);
  // A type that no script can read.
  await sharedRedis()
    .multi()
    .del(keyOf.active(broken.sessionId))
    .rpush(keyOf.active(broken.sessionId), 'x')
    .exec();
});
afterEach(() => service.stop());

const live = ({ sessionId, studentToken }: ASession) => service.api.live(sessionId, studentToken);
/** Each trainer is somewhere else, so that mixed-up answers are noticed. */
const update = ({ sessionId, trainerToken }: ASession, index: number) =>
  service.api.update(trainerToken, { sessionId, ...metersNorth(10 * index), sequence: index });

test('positions of one batch are judged and stored separately, also beside a journey that cannot be read', async () => {
  const [answers, refused] = await Promise.all([Promise.all(sessions.map(update)), update(broken, 0)]);
  expect(refusal(refused).code).toBe('INTERNAL_ERROR');
  expect(answers.map((answer) => data(answer)['sessionId'])).toEqual(
    sessions.map(({ sessionId }) => sessionId),
  );
  const seen = await Promise.all(sessions.map(live));
  const positions = seen.map((answer) => data(answer)['location']);
  expect(positions).toEqual(
    sessions.map((_session, index): unknown =>
      expect.objectContaining({ ...metersNorth(10 * index), sequence: index }),
    ),
  );
});

test('polls of one batch get their own journeys, also beside one that cannot be read', async () => {
  const [answers, refused] = await Promise.all([Promise.all(sessions.map(live)), live(broken)]);
  expect(refusal(refused).code).toBe('INTERNAL_ERROR');
  const seen = answers.map((answer) => data(answer));
  expect(seen).toEqual(
    sessions.map(({ sessionId, trainerId }): unknown =>
      expect.objectContaining({ sessionId, trainerId, isActive: true }),
    ),
  );
});

test('the same position twice in one batch is written once and answered twice', async () => {
  const session = sessions[0] as ASession;
  const [first, second] = await Promise.all([update(session, 1), update(session, 1)]);
  expect(data(second)).toEqual(data(first));
});

test('pipelined requests go to Redis in fewer calls than there are requests', async () => {
  const session = sessions[0] as ASession;
  const path = `/api/v1/admin/location-tracking/journey/live?sessionId=${session.sessionId}`;
  const connection = await PipelinedConnection.open(service.url);
  await connection.get(
    Array.from({ length: AT_ONCE }, () => path),
    session.studentToken,
  );
  const answers = await until('all are answered', () => {
    const these = connection.answers();
    return these.length === AT_ONCE && these;
  });
  connection.close();
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  const calls = await metric(
    service,
    'redis_call_duration_seconds_count',
    'operation="readLive",outcome="ok"',
  );
  expect(calls).toBeGreaterThan(0);
  expect(calls).toBeLessThan(AT_ONCE);
});

import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import { aSession, metersNorth, type ASession } from '../support/a-session.js';
import { data, refusal, type Answer } from '../support/api.js';
import { keyOf, sharedRedis } from '../support/redis-of-the-run.js';
import { runService, type RunningService } from '../support/running-service.js';
import { until } from '../support/until.js';

let service: RunningService;
let healthy: ASession;
beforeAll(async () => {
  service = await runService();
  healthy = await aJourney(service.api);
});
afterAll(() => service.stop());
afterEach(async () => {
  expect(data(await service.api.live(healthy.sessionId, healthy.studentToken))).toMatchObject({
    isActive: true,
  });
});

interface WrongField {
  wrong: object;
  in: (session: ASession) => object;
}
type Garbage = string | { type: 'list' | 'hash' | 'set' } | WrongField;
const wrongTypes: Garbage[] = [{ type: 'list' }, { type: 'hash' }, { type: 'set' }];
const noObjects: Garbage[] = ['', 'not json', '{"trainerId":', 'null', '12', '"text"', '[]', '\u0000', '{}'];
const unreadable: Garbage[] = [...noObjects, ...wrongTypes];
const wrongFields = (base: WrongField['in'], ...fields: object[]): Garbage[] =>
  fields.map((wrong) => ({ wrong, in: base }));

async function put(key: string, garbage: Garbage, session: ASession): Promise<void> {
  const redis = sharedRedis();
  await redis.del(key);
  if (typeof garbage === 'string') await redis.set(key, garbage);
  else if ('wrong' in garbage)
    await redis.set(key, JSON.stringify({ ...garbage.in(session), ...garbage.wrong }));
  else if (garbage.type === 'list') await redis.rpush(key, 'x');
  else if (garbage.type === 'hash') await redis.hset(key, 'x', 'y');
  else await redis.sadd(key, 'x');
  await redis.expire(key, 60);
}

const nameOf = (garbage: Garbage) =>
  JSON.stringify(typeof garbage === 'object' && 'wrong' in garbage ? garbage.wrong : garbage);

const calls = {
  live: ({ sessionId, studentToken }: ASession) => service.api.live(sessionId, studentToken),
  update: ({ sessionId, trainerToken }: ASession) =>
    service.api.update(trainerToken, { sessionId, ...metersNorth(50) }),
  arrived: ({ sessionId, trainerToken }: ASession) => service.api.arrived(sessionId, trainerToken),
  stop: ({ sessionId, trainerToken }: ASession) => service.api.stop(sessionId, trainerToken),
  start: ({ sessionId, trainerToken }: ASession) => service.api.start(sessionId, trainerToken),
};

/** The log may come after the answer. */
const anErrorLine = ({ sessionId }: ASession) =>
  until('an error in the log', () =>
    service.logLines().some((line) => line['level'] === 'error' && JSON.stringify(line).includes(sessionId)),
  );

/** The status of a success or the code of a refusal. A failure must be an INTERNAL_ERROR, and in the log. */
async function outcomeOf(answer: Answer, session: ASession): Promise<string> {
  if (answer.body['success'] === true) return String(answer.status);
  const { status, code } = refusal(answer);
  if (status < 500) return code;
  expect({ status, code }).toEqual({ status: 500, code: 'INTERNAL_ERROR' });
  await anErrorLine(session);
  return code;
}

const notStarted = () => aSession();
const started = () => aJourney(service.api);
async function withPosition(): Promise<ASession> {
  const session = await started();
  data(await calls.update(session));
  await sharedRedis().del(keyOf.rate(session.trainerId, session.sessionId));
  return session;
}

const now = new Date().toISOString();
const others = { trainerId: randomUUID(), studentId: randomUUID() };
const active = ({ sessionId, trainerId, studentId }: ASession) => ({
  ...{ sessionId, trainerId, studentId, startedAt: now, status: 'in_progress' },
});
const location = () => ({ ...metersNorth(50), timestamp: now });
const meta = () => ({ ...others, status: 'scheduled', studentHomeLocation: null });
const ended = ({ sessionId }: ASession) => ({ ...others, sessionId, reason: 'arrived', endedAt: now });

const wrongActive = [
  ...wrongFields(
    active,
    { startedAt: 'yesterday' },
    { startedAt: 12 },
    { studentId: null },
    { studentId: 12 },
  ),
  ...wrongFields(active, { sessionId: [] }, { studentHomeLocation: 'here' }, { expiresAt: {} }),
];
const wrongLocation = [
  ...wrongFields(location, { latitude: null }, { latitude: '12.97' }, { latitude: 91 }, { longitude: 1e300 }),
  ...wrongFields(location, { timestamp: 'yesterday' }, { timestamp: 12 }, { timestamp: null }, { speed: [] }),
  ...wrongFields(location, { accuracy: 'good' }, { accuracy: {} }, { heading: 'north' }, { sequence: 'x' }),
];
const wrongMeta = wrongFields(meta, { trainerId: 12 }, { studentId: 'x' }, { status: null });
const wrongEnded = wrongFields(ended, { reason: 'bored' }, { endedAt: 'yesterday' }, { studentId: 12 });

const activeKey = ({ sessionId }: ASession) => keyOf.active(sessionId);
const locationKey = ({ trainerId, sessionId }: ASession) => keyOf.location(trainerId, sessionId);
const kinds = {
  'an unreadable journey:active': [activeKey, unreadable],
  'a journey:active with a wrong field': [activeKey, wrongActive],
  'a bad location': [locationKey, [...unreadable, ...wrongLocation]],
  'an unreadable location': [locationKey, unreadable],
  'a bad session:meta': [({ sessionId }) => keyOf.meta(sessionId), [...unreadable, ...wrongMeta]],
  'a bad journey:ended': [({ sessionId }) => keyOf.ended(sessionId), [...unreadable, ...wrongEnded]],
} satisfies Record<string, [(session: ASession) => string, Garbage[]]>;

const isLogged = (_answer: Answer, session: ASession) => anErrorLine(session);
const isActive = async (_answer: Answer, session: ASession) => {
  expect(data(await calls.live(session))).toMatchObject({ isActive: true });
};
const liveIsActive = (answer: Answer) => {
  if ('isActive' in data(answer)) expect(data(answer)).toMatchObject({ isActive: true });
};
const isInactive = (answer: Answer) => {
  expect(data(answer)).toMatchObject({ isActive: false, location: null });
};
const isOfItsTrainer = (answer: Answer, { trainerId }: ASession) => {
  expect(data(answer)).toMatchObject({ isActive: false, trainerId });
};
const isShown = async (_answer: Answer, session: ASession) => {
  expect(data(await calls.live(session))).toMatchObject({ isActive: true, location: metersNorth(50) });
};

const failure = 'INTERNAL_ERROR';
const atTheEnd = [failure, 'JOURNEY_ENDED', 'JOURNEY_NOT_ACTIVE'];
const whileActive = ['200', '201', failure, 'LOCATION_UNKNOWN', 'FORBIDDEN'];
const ofAJourney = ['live', 'update', 'arrived', 'stop'] as const;

describe.each<
  [
    keyof typeof kinds,
    requirement: string,
    of: () => Promise<ASession>,
    names: readonly (keyof typeof calls)[],
    outcomes: string[],
    ofASuccess?: (answer: Answer, session: ASession) => unknown,
  ]
>([
  ['an unreadable journey:active', 'never looks ended', withPosition, ofAJourney, [failure]],
  [
    'an unreadable journey:active',
    'may fail',
    notStarted,
    ['start'],
    [failure, 'JOURNEY_ALREADY_ACTIVE', '201'],
  ],
  [
    'a journey:active with a wrong field',
    'never looks ended',
    withPosition,
    ofAJourney,
    whileActive,
    liveIsActive,
  ],
  ['a bad location', 'is absent, or fails', started, ['live'], ['200', failure], liveIsActive],
  ['a bad location', 'is logged by', started, ['live'], ['200', failure], isLogged],
  ['a bad location', 'is replaced by, or fails', started, ['update'], ['201', failure], isShown],
  ['a bad location', 'does not prevent', started, ['stop'], ['200']],
  ['an unreadable location', 'is logged by', started, ['update'], ['201', failure], isLogged],
  ['an unreadable location', 'does not suffice for', started, ['arrived'], ['LOCATION_UNKNOWN', failure]],
  ['a bad session:meta', 'is a miss for', notStarted, ['live'], ['200'], isOfItsTrainer],
  ['a bad session:meta', 'does not prevent', notStarted, ['start'], ['201'], isActive],
  ['a bad session:meta', 'does not fail', started, ['live', 'update', 'stop'], ['200', '201']],
  ['a bad journey:ended', 'is absent, or fails', notStarted, ['live'], ['200', ...atTheEnd], isInactive],
  ['a bad journey:ended', 'is clearly refused by', notStarted, ['update', 'arrived', 'stop'], atTheEnd],
  ['a bad journey:ended', 'does not prevent', notStarted, ['start'], ['201'], isActive],
])('%s %s', (kind, _requirement, of, names, outcomes, ofASuccess) => {
  const [keyFor, garbage] = kinds[kind];
  test.each(names.flatMap((call) => garbage.map((each) => [call, nameOf(each), each] as const)))(
    '%s: %s',
    async (call, _text, value) => {
      const session = await of();
      await put(keyFor(session), value, session);
      const answer = await calls[call](session);
      expect(outcomes).toContain(await outcomeOf(answer, session));
      if (answer.body['success'] === true) await ofASuccess?.(answer, session);
    },
  );
});

const notNumbers = ['-1', '0', '1e300', '99999999999999999', 'inf', 'nan', '-nan', '0x10', ' 12 '];
test.each([...noObjects, ...notNumbers, ...wrongTypes].map((each) => [nameOf(each), each] as const))(
  'location:rate that is %s does not delay an update for more than 6 s',
  async (_text, value) => {
    const session = await started();
    await put(keyOf.rate(session.trainerId, session.sessionId), value, session);
    const answer = await calls.update(session);
    const outcome = await outcomeOf(answer, session);
    expect(['201', 'RATE_LIMITED']).toContain(outcome);
    if (outcome === '201') return;
    const { retryAfterMs } = refusal(answer).details as { retryAfterMs: number };
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterMs).toBeLessThanOrEqual(6_000);
  },
);

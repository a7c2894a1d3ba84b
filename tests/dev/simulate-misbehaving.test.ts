import {
  refusalAnswer,
  startStubService,
  type Misbehaviour,
  type StubAnswer,
} from '../support/stub-service.js';
import { sessionFile } from '../support/session-file.js';
import { simulate } from '../support/simulate-process.js';

async function wrongsOf(
  misbehave: Misbehaviour,
  journeys = 4,
): Promise<{ code: number | null; wrong: string[] }> {
  const stub = await startStubService(misbehave);
  const run = ['--journeys', String(journeys), '--minutes', '0.03', '--ramp-up', '0', '--seed', '5'];
  try {
    const { code, report } = await simulate([
      '--url',
      stub.url,
      '--sessions',
      sessionFile(2 * journeys),
      ...run,
    ]);
    return { code, wrong: report.wrong.map(({ what }) => what) };
  } finally {
    await stub.stop();
  }
}

/** Of several one drives, while another is in a tunnel and says nothing. */
const journeysOfEach = 4;

type Data = Record<string, unknown>;
const changed = (proper: StubAnswer, change: (data: Data) => Data): StubAnswer => {
  const body = proper.body as { success: true; data: Data };
  return { ...proper, body: { ...body, data: { ...body.data, ...change(body.data) } } };
};
/** Changes the data of each success of a kind. */
const changing =
  (wanted: string, change: (data: Data) => Data): Misbehaviour =>
  ({ kind }, proper) =>
    kind === wanted && proper.status < 300 ? changed(proper, change) : undefined;
/** Answers each call of a kind with this. */
const always =
  (wanted: string, answer: StubAnswer): Misbehaviour =>
  ({ kind }) =>
    kind === wanted ? answer : undefined;

/** Shows positions in turn, and then the first again. */
function goingBack(): Misbehaviour {
  let polls = 0;
  const place = { latitude: 1, longitude: 2, timestamp: new Date().toISOString() };
  const inTurn = changing('live', () => ({ location: { ...place, sequence: ++polls % 4 } }));
  return (call, proper) => (proper.status === 200 ? inTurn(call, proper) : undefined);
}

const misbehaviours: [name: string, misbehave: Misbehaviour, says: RegExp][] = [
  ['garbage', always('update', { status: 201, body: 'garbage' }), /^update: 201, but not JSON/],
  ['an HTML page', always('live', { status: 200, body: '<html>' }), /^poll: 200, but not JSON/],
  ['no envelope', always('update', { status: 201, body: {} }), /envelope of a success/],
  ['no next pace', changing('update', () => ({ nextUpdateMs: null })), /nextUpdateMs is not a time/],
  [
    "another session's answer",
    changing('update', () => ({ sessionId: 'other' })),
    /another session's answer/,
  ],
  ['a state that is none', changing('live', () => ({ isActive: 'yes' })), /isActive is not a boolean/],
  ['a location that is none', changing('live', () => ({ location: 'there' })), /location is neither/],
  ['no ETag', ({ kind }, proper) => (kind === 'live' ? { ...proper, headers: {} } : undefined), /no ETag/],
  ['a start without a time', changing('start', () => ({ startedAt: 'now' })), /^start: 201, but startedAt/],
  [
    'an end too early',
    changing('live', () => ({ isActive: false, location: null })),
    /goes on is shown as ended/,
  ],
  ['an end without its own answer', changing('stop', () => ({ stoppedAt: 1 })), /^stop: 200, but stoppedAt/],
  ['a failure', always('update', refusalAnswer(500, 'INTERNAL_ERROR')), /^update: 500 INTERNAL_ERROR/],
  [
    'a code with another status',
    always('update', refusalAnswer(400, 'RATE_LIMITED')),
    /RATE_LIMITED with status 400/,
  ],
  ['no time to retry', always('update', refusalAnswer(503, 'STATE_UNAVAILABLE')), /without Retry-After/],
  [
    'a refusal out of place',
    always('update', refusalAnswer(400, 'LOCATION_IMPLAUSIBLE')),
    /400 LOCATION_IMPLAUSIBLE/,
  ],
  ['a stranger', always('start', refusalAnswer(403, 'FORBIDDEN')), /^start: 403 FORBIDDEN/],
  [
    "a proxy's error",
    always('update', { status: 502, body: '<html>bad gateway' }),
    /^update: 502, but not JSON/,
  ],
  ['a position that goes back in time', goingBack(), /older position is shown after a newer one/],
  ['no answer at all', ({ kind }) => (kind === 'update' ? 'hang' : undefined), /^update: no answer in time/],
];

describe('of a service that misbehaves to each session in another way', () => {
  let result: Awaited<ReturnType<typeof wrongsOf>>;
  beforeAll(async () => {
    const bySession = new Map<string, Misbehaviour>();
    const misbehave: Misbehaviour = (call, proper) => {
      const own = bySession.get(call.sessionId) ?? misbehaviours[bySession.size % misbehaviours.length]?.[1];
      if (call.kind === 'start' && own) bySession.set(call.sessionId, own);
      return bySession.get(call.sessionId)?.(call, proper);
    };
    result = await wrongsOf(misbehave, journeysOfEach * misbehaviours.length);
  }, 60_000);

  test.each(misbehaviours)('%s is found out', (_name, _misbehave, says) => {
    expect(result.wrong).toContainEqual(expect.stringMatching(says));
  });

  test('the exit code is 1', () => {
    expect(result.code).toBe(1);
  });
});

test('a service that answers nobody has shown nothing', async () => {
  let isLooked = false;
  const { code, wrong } = await wrongsOf(() => {
    // But the look beforehand.
    const answer = isLooked ? 'reset' : undefined;
    isLooked = true;
    return answer;
  });
  expect(code).toBe(1);
  expect(wrong).toContain('not one call was answered');
});

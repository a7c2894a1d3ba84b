import { sessionFile } from '../support/session-file.js';
import { simulate } from '../support/simulate-process.js';
import {
  refusalAnswer,
  startStubService,
  type Misbehaviour,
  type StubAnswer,
} from '../support/stub-service.js';

async function run(misbehave: Misbehaviour, journeys: number, minutes: number) {
  const stub = await startStubService(misbehave);
  const args = ['--url', stub.url, '--sessions', sessionFile(2 * journeys), '--journeys', String(journeys)];
  try {
    const more = ['--minutes', String(minutes), '--ramp-up', '0', '--seed', '5'];
    const { code, report } = await simulate([...args, ...more]);
    return { code, report, stub, faults: report.faults.map(({ what }) => what) };
  } finally {
    await stub.stop();
  }
}

type Data = Record<string, unknown>;
/** Changes the data of each success of a kind. */
const changing =
  (wanted: string, change: (data: Data) => Data): Misbehaviour =>
  ({ kind }, proper) => {
    if (kind !== wanted || proper.status >= 300) return undefined;
    const body = proper.body as { success: true; data: Data };
    return { ...proper, body: { ...body, data: { ...body.data, ...change(body.data) } } };
  };
const always =
  (wanted: string, answer: StubAnswer): Misbehaviour =>
  ({ kind }) =>
    kind === wanted ? answer : undefined;

/** Shows newer positions, and then the first one again. */
function goingBack(): Misbehaviour {
  let polls = 0;
  const place = { latitude: 1, longitude: 2, timestamp: new Date().toISOString() };
  return (call, proper) =>
    changing('live', () => ({ location: { ...place, sequence: ++polls % 4 } }))(call, proper);
}

const misbehaviours: [name: string, misbehave: Misbehaviour, says: RegExp][] = [
  ['garbage', always('update', { status: 201, body: 'garbage' }), /^update: 201, but not JSON/],
  ['no envelope', always('update', { status: 201, body: {} }), /envelope of a success/],
  ['no interval', changing('update', () => ({ nextUpdateMs: null })), /^update: 201, but nextUpdateMs/],
  [
    'the answer of another session',
    changing('update', () => ({ sessionId: '3f2b8c1e-9d4a-4f6b-8a57-0c1d2e3f4a5b' })),
    /answer of another session/,
  ],
  ['no ETag', ({ kind }, proper) => (kind === 'live' ? { ...proper, headers: {} } : undefined), /no ETag/],
  ['an end too early', changing('live', () => ({ isActive: false, location: null })), /shown as ended/],
  ['a failure', always('update', refusalAnswer(500, 'INTERNAL_ERROR')), /^update: 500 INTERNAL_ERROR/],
  ['a code with another status', always('update', refusalAnswer(400, 'RATE_LIMITED')), /with status 400/],
  ['no time to retry', always('update', refusalAnswer(503, 'STATE_UNAVAILABLE')), /without Retry-After/],
  ['an unexpected refusal', always('update', refusalAnswer(400, 'LOCATION_IMPLAUSIBLE')), /IMPLAUSIBLE/],
  ['a refused start', always('start', refusalAnswer(403, 'FORBIDDEN')), /^start: 403 FORBIDDEN/],
  ["a proxy's error", always('update', { status: 502, body: '<html>bad gateway' }), /^update: 502/],
  ['a position that goes back in time', goingBack(), /older position is shown after a newer one/],
];

/** Of several one drives, while another is in a tunnel and sends nothing. */
const journeysOfEach = 3;
const minutes = 0.07;

describe('a service that misbehaves in another way to each session', () => {
  let result: Awaited<ReturnType<typeof run>>;
  beforeAll(async () => {
    const bySession = new Map<string, Misbehaviour>();
    const misbehave: Misbehaviour = (call, proper) => {
      const own = bySession.get(call.sessionId) ?? misbehaviours[bySession.size % misbehaviours.length]?.[1];
      if (call.kind === 'start' && own) bySession.set(call.sessionId, own);
      return bySession.get(call.sessionId)?.(call, proper);
    };
    result = await run(misbehave, journeysOfEach * misbehaviours.length, minutes);
  }, 60_000);

  test.each(misbehaviours)('%s is a fault', (_name, _misbehave, says) => {
    expect(result.faults).toContainEqual(expect.stringMatching(says));
  });

  test('the exit code is 1', () => {
    expect(result.code).toBe(1);
  });
});

// Concurrent, because a run takes its time.
test.concurrent('a run in which no call was answered is a fault', async () => {
  let calls = 0;
  // The first call checks the deployment.
  const { code, faults } = await run(() => (calls++ === 0 ? undefined : 'reset'), 2, 0.02);
  expect(code).toBe(1);
  expect(faults).toContain('no call was answered');
});

test.concurrent(
  'unavailability, network errors and a journey of an earlier run are no faults',
  async () => {
    let calls = 0;
    const seen = new Set<string>();
    const isFirst = (name: string) => !seen.has(name) && Boolean(seen.add(name));
    const unavailable = refusalAnswer(503, 'STATE_UNAVAILABLE', { headers: { 'Retry-After': '1' } });
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const details = { startedAt: new Date().toISOString(), expiresAt };
    const active = refusalAnswer(409, 'JOURNEY_ALREADY_ACTIVE', { details });
    const { code, report, faults } = await run(
      ({ kind, sessionId }) => {
        if (calls++ === 0) return undefined;
        if (kind === 'start' && isFirst(`start ${sessionId}`)) return active;
        if (kind === 'stop' && isFirst(`stop ${sessionId}`)) {
          const data = { sessionId, stoppedAt: new Date().toISOString() };
          return { status: 200, body: { success: true, data } };
        }
        if (kind === 'update' && isFirst(`update ${sessionId}`)) return unavailable;
        return kind === 'live' && isFirst(`live ${sessionId}`) ? 'reset' : undefined;
      },
      6,
      0.08,
    );
    expect({ code, faults }).toEqual({ code: 0, faults: [] });
    expect(report.totals['start 409']).toBeGreaterThanOrEqual(6);
    expect(report.totals['update 503']).toBeGreaterThan(0);
    expect(Object.keys(report.network)).toContainEqual(expect.stringMatching(/^poll: /));
    expect(report.journeys.started).toBeGreaterThanOrEqual(6);
  },
  60_000,
);

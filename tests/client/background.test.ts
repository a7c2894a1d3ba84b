import { clockWithSleep } from '../../src/client/clock.js';
import { refusal, success } from '../../src/client/testing/answers.js';
import { aTracker, tracking } from './scripted-clients.js';
import { fix, timedFix, type ScriptedService } from './scripted-service.js';

const bodiesOf = (service: ScriptedService) => service.callsOf('update').map(({ body }) => body);
const latitudesOf = (service: ScriptedService) => bodiesOf(service).map(({ latitude }) => latitude);

test('a push resolves when its position was sent, superseded or dropped', async () => {
  const { tracker, clock } = await tracking((_call, earlier) =>
    earlier === 1 ? refusal(400, 'LOCATION_IMPLAUSIBLE') : undefined,
  );
  const first = tracker.push(fix(1));
  await clock.advance(100);
  const replaced = tracker.push(fix(2));
  await clock.advance(100);
  const refusedOne = tracker.push(fix(3));
  await clock.advance(5_000);
  expect(await Promise.all([first, replaced, refusedOne])).toEqual(['sent', 'superseded', 'dropped']);
  const waiting = tracker.push(fix(4));
  tracker.close();
  expect(await Promise.all([waiting, tracker.push(fix(5)), tracker.push([])])).toEqual([
    'dropped',
    'dropped',
    'dropped',
  ]);
});

test('a push of an invalid position resolves as dropped and never rejects', async () => {
  const { tracker } = await tracking();
  expect(await tracker.push({ coords: { latitude: NaN, longitude: 1 } })).toBe('dropped');
  expect(await tracker.push(null as never)).toBe('dropped');
});

test.each([
  ['resume() finds no journey', 'live', success(200, { isActive: false })],
  ['the start is refused', 'start', refusal(400, 'SESSION_NOT_STARTABLE')],
] as const)(
  'a push resolves as dropped when %s, and so do later ones until the next start',
  async (_end, kind, answer) => {
    let isFirst = true;
    const { service, tracker, clock } = aTracker((call) => {
      if (call.kind !== kind || !isFirst) return undefined;
      isFirst = false;
      return answer;
    });
    const waiting = tracker.push(fix());
    await (kind === 'live' ? tracker.resume() : tracker.start()).catch(() => undefined);
    expect([await waiting, await tracker.push(fix())]).toEqual(['dropped', 'dropped']);
    await tracker.start();
    const next = tracker.push(fix());
    await clock.advance(0);
    expect([await next, service.callsOf('update').length]).toEqual(['sent', 1]);
  },
);

test('a push while the network is out stays pending, and resolves with the retry', async () => {
  const { tracker, clock } = await tracking((_call, earlier) => (earlier < 3 ? 'offline' : undefined));
  let outcome = 'pending';
  void tracker.push(fix()).then((result) => (outcome = result));
  await clock.advance(500);
  expect(outcome).toBe('pending');
  await clock.advance(60_000);
  expect(outcome).toBe('sent');
});

test.each(['one batch', 'several pushes of one turn'])(
  'of %s the newest is sent, with its age',
  async (how) => {
    const { service, tracker, clock } = await tracking();
    const nowMs = clock.wallMs();
    const batch = [30, 25, 3, 20].map((seconds) => timedFix(-seconds, nowMs - seconds * 1_000));
    if (how === 'one batch')
      expect(await Promise.all([tracker.push(batch), clock.advance(0)])).toEqual(['sent', undefined]);
    else for (const position of batch) void tracker.push(position);
    await clock.advance(0);
    expect(latitudesOf(service)).toEqual([fix(-3).coords.latitude]);
    expect(bodiesOf(service)).toMatchObject([{ ageMs: 3_000 }]);
  },
);

test('batches of 30 s each send their newest position', async () => {
  const { service, tracker, clock } = await tracking();
  for (let batch = 1; batch <= 3; batch++) {
    await clock.advance(30_000);
    const nowMs = clock.wallMs();
    const metres = [0, 1, 2, 3, 4, 5].map((index) => batch * 100 + index);
    void tracker.push(metres.map((each, index) => timedFix(each, nowMs - (5 - index) * 5_000)));
  }
  await clock.advance(0);
  expect(latitudesOf(service)).toEqual([105, 205, 305].map((metres) => fix(metres).coords.latitude));
  // Before the first one the phone said that it had no fix.
  expect(bodiesOf(service).map(({ ageMs }) => ageMs)).toEqual([5_000, 0, 0]);
});

test('a cached fix is not taken for a new one', async () => {
  const { service, tracker, record, clock } = await tracking();
  expect(await tracker.push(timedFix(10_000, clock.wallMs() - 3 * 3_600_000))).toBe('dropped');
  expect(record.dropped).toMatchObject([{ error: { status: 0, code: 'LOCATION_STALE' } }]);
  void tracker.push(timedFix(0, clock.wallMs()));
  await clock.advance(5_000);
  void tracker.push(timedFix(5_000, clock.wallMs() - 90_000));
  await clock.advance(5_000);
  expect(latitudesOf(service)).toEqual([fix(0).coords.latitude]);
});

test('a fix of the last minutes is sent with its age', async () => {
  const { service, tracker, clock } = await tracking();
  void tracker.push(timedFix(0, clock.wallMs() - 90_000));
  await clock.advance(0);
  expect(bodiesOf(service)).toMatchObject([{ ageMs: 90_000 }]);
});

test.each([
  ['a year ahead', 365 * 86_400_000],
  ['two minutes ahead', 120_000],
  ['a year behind', -365 * 86_400_000],
])(
  'a phone whose clock is %s of its GPS sends after three positions as if it were right',
  async (_how, errorMs) => {
    const { service, tracker, clock } = await tracking();
    for (let second = 0; second < 20; second++) {
      void tracker.push(timedFix(second, clock.wallMs() - errorMs));
      await clock.advance(1_000);
    }
    expect(service.callsOf('update').length).toBeGreaterThanOrEqual(3);
    expect(
      bodiesOf(service)
        .slice(1)
        .map(({ ageMs }) => Number(ageMs) <= 1_000),
    ).not.toContain(false);
  },
);

test('the age is taken when the request is written: after getToken, and again after a 401', async () => {
  let tokens = 0;
  const made = await tracking(
    ({ headers }) => (headers['Authorization'] === 'Bearer 2' ? refusal(401, 'UNAUTHENTICATED') : undefined),
    {
      getToken: () => {
        tokens += 1;
        const token = String(tokens);
        if (tokens === 1) return token;
        return new Promise((resolve) =>
          made.service.clock.after(3_000, () => {
            resolve(token);
          }),
        );
      },
    },
  );
  void made.tracker.push(fix());
  await made.clock.advance(10_000);
  expect(bodiesOf(made.service).map(({ ageMs }) => ageMs)).toEqual([3_000, 6_000]);
});

test('a request that never answers blocks nothing for longer than its deadline while timers are frozen', async () => {
  const { service, tracker, record, clock } = await tracking(() => 'hanging');
  const after = jest.spyOn(clock, 'after').mockImplementation(() => () => undefined);
  const outcomes: string[] = [];
  for (let second = 0; second < 60; second++) {
    void tracker.push(timedFix(second, clock.wallMs())).then((outcome) => outcomes.push(outcome));
    await clock.advance(1_000);
  }
  after.mockRestore();
  expect(service.callsOf('update').map(({ atMs }) => Math.round((atMs - 1_000_000) / 1_000))).toEqual([
    0, 11, 22, 33, 44, 55,
  ]);
  expect(record.retrying[0]).toMatchObject({ error: { code: 'DEADLINE_EXCEEDED' }, inMs: 0 });
  expect(outcomes.filter((outcome) => outcome !== 'superseded')).toEqual([]);
  tracker.close();
});

test("the clock counts the phone's sleep, but not a clock that is set", () => {
  let [monotonicMs, wallMs] = [0, 1_000_000];
  const nowMs = clockWithSleep(
    () => monotonicMs,
    () => wallMs,
  );
  const pass = (monotonic: number, wall: number) => {
    monotonicMs += monotonic;
    wallMs += wall;
    return nowMs();
  };
  expect(pass(1_000, 1_010)).toBe(1_000);
  expect(pass(500, 600_500)).toBe(601_500);
  expect(pass(500, 365 * 86_400_000)).toBe(602_000);
  expect(pass(500, -365 * 86_400_000)).toBe(602_500);
});

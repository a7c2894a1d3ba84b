import { randomUUID } from 'node:crypto';
import { createJourneyTracking, type LocationProblem } from '../../src/client/expo/index.js';
import { FakeService, refusal } from '../../src/client/testing/index.js';
import { FakePhone } from './fake-phone.js';
import { timedFix } from './scripted-service.js';

function anApp() {
  const service = new FakeService();
  const phone = new FakePhone();
  const { clock } = service;
  let launches = 0;
  let lastRandom = 0;
  /** A new process of the app; the one before is gone. */
  const launch = () => {
    const process = (launches += 1);
    const send = (url: string, init: RequestInit) =>
      process === launches ? service.fetch(url, init) : new Promise<never>(() => undefined);
    // Not the same each time, because keys of calls are made of it.
    const random = () => (lastRandom = (lastRandom + 0.37) % 1);
    return createJourneyTracking({
      api: service.api({ fetch: send as typeof fetch, random }),
      ...phone.launch(),
    });
  };
  return {
    ...{ service, phone, clock, launch, sessionId: randomUUID(), tracking: launch() },
    /** Positions of that many seconds ago, the oldest first. */
    batch: (...secondsAgo: number[]) =>
      secondsAgo.map((seconds) => timedFix(-seconds, clock.wallMs() - seconds * 1_000)),
    /** A promise that needs the clock. */
    passing: async <Result>(promise: Promise<Result>, ms = 0) => {
      const settled = Promise.allSettled([promise]);
      await clock.advance(ms);
      await settled;
      return promise;
    },
    isReleased: () => phone.updates.size === 0 && phone.stored.size === 0,
  };
}

/** An app that tracks and has sent a position. */
async function onTheWay() {
  const app = anApp();
  await app.tracking.start(app.sessionId);
  await app.passing(app.phone.deliver(...app.batch(0)));
  await app.clock.advance(5_000);
  return app;
}

test('a start asks for permissions, starts the journey and the updates, and sends what they deliver', async () => {
  const { service, phone, sessionId } = await onTheWay();
  expect(phone.asked).toEqual(['foreground', 'background']);
  const [options] = [...phone.updates.values()];
  expect(options).toMatchObject({
    ...{ accuracy: 4, distanceInterval: 0, pausesUpdatesAutomatically: false },
    foregroundService: { notificationTitle: 'On the way' },
  });
  expect(service.live(sessionId)).toMatchObject({ isActive: true, location: { accuracy: 8 } });
});

test('on Android no background permission is asked for, because a foreground service needs none', async () => {
  const { phone, tracking, sessionId } = anApp();
  phone.permission = { granted: true, canAskAgain: true, android: { accuracy: 'fine' } };
  phone.background = { granted: false, canAskAgain: true };
  await tracking.start(sessionId);
  expect([phone.asked, tracking.current.problem]).toEqual([['foreground'], null]);
});

const onIos = (accuracy: 'full' | 'reduced') => ({ granted: true, canAskAgain: true, ios: { accuracy } });

test.each<[LocationProblem, Partial<FakePhone>]>([
  ['denied', { permission: { granted: false, canAskAgain: true } }],
  ['deniedForever', { permission: { granted: false, canAskAgain: false } }],
  ['reducedAccuracy', { permission: onIos('reduced') }],
  ['reducedAccuracy', { permission: { granted: true, canAskAgain: true, android: { accuracy: 'coarse' } } }],
  ['locationOff', { hasLocationOn: false, permission: { granted: false, canAskAgain: false } }],
])('with %s no journey is started, and the reason is thrown and shown', async (problem, trouble) => {
  const { service, phone, tracking, sessionId, isReleased } = anApp();
  Object.assign(phone, trouble);
  await expect(tracking.start(sessionId)).rejects.toMatchObject({ name: 'LocationProblemError', problem });
  expect(tracking.current).toEqual({ sessionId: null, tracker: null, problem });
  expect([service.calls, isReleased()]).toEqual([[], true]);
});

test('without the permission for the background a journey is tracked, and the reason is shown', async () => {
  const { phone, tracking, sessionId } = anApp();
  phone.background = { granted: false, canAskAgain: false };
  await tracking.start(sessionId);
  expect([tracking.current.problem, phone.updates.size]).toEqual(['backgroundDenied', 1]);
  expect(tracking.current.tracker?.tracked.problem).toBeNull();
});

test.each([
  ['is refused', () => refusal(403, 'FORBIDDEN'), 'FORBIDDEN'],
  ['has no network for a minute', () => 'offline' as const, 'DEADLINE_EXCEEDED'],
])('a start that %s throws; no updates run and nothing is stored', async (_how, script, code) => {
  const { service, tracking, sessionId, isReleased, passing, clock } = anApp();
  service.script = script;
  await expect(passing(tracking.start(sessionId), 60_000)).rejects.toMatchObject({ code });
  expect([isReleased(), tracking.current.tracker, clock.alarms]).toEqual([true, null, 0]);
  service.script = () => undefined;
  expect(await tracking.start(sessionId)).toMatchObject({ wasRunning: false });
});

test('a start whose updates fail throws; another one joins the journey', async () => {
  const { phone, tracking, sessionId, isReleased, clock } = anApp();
  phone.updatesError = new Error('Foreground service cannot be started');
  await expect(tracking.start(sessionId)).rejects.toBe(phone.updatesError);
  expect([isReleased(), clock.alarms]).toEqual([true, 0]);
  phone.updatesError = undefined;
  expect(await tracking.start(sessionId)).toMatchObject({ wasRunning: true });
});

test('a batch that relaunches the app joins the journey above the last sequence, and the newest is sent', async () => {
  const { service, phone, clock, launch, sessionId, batch, passing } = await onTheWay();
  const before = service.callsOf('update').map(({ body }) => body['sequence']);
  const relaunched = launch();
  await clock.advance(30_000);
  await passing(phone.deliver(...batch(20, 10, 2)), 0);
  const last = service.callsOf('update').at(-1)?.body;
  expect(last).toMatchObject({ ageMs: 2_000, latitude: timedFix(-2, 0).coords.latitude });
  expect(Number(last?.['sequence'])).toBeGreaterThan(Math.max(...before.map(Number)));
  expect(service.callsOf('start')).toHaveLength(1);
  expect(relaunched.current).toMatchObject({ sessionId, tracker: { state: 'tracking' } });
});

test.each(['a position', 'resume()'])(
  'when the journey ended meanwhile, %s after a relaunch stops the updates and forgets the session',
  async (how) => {
    const { service, phone, launch, sessionId, batch, isReleased } = await onTheWay();
    const relaunched = launch();
    service.end(sessionId, 'cancelled');
    if (how === 'resume()') expect(await relaunched.resume()).toBeNull();
    else await phone.deliver(...batch(0));
    expect([isReleased(), relaunched.current.tracker]).toEqual([true, null]);
    expect(service.callsOf('start')).toHaveLength(1);
  },
);

test('resume() in the opened app joins the journey and starts the updates that the phone has lost', async () => {
  const { phone, launch, sessionId } = await onTheWay();
  phone.updates.clear();
  const relaunched = launch();
  expect(await relaunched.resume()).toMatchObject({ wasRunning: true });
  expect([phone.updates.size, phone.stored.size, relaunched.current.sessionId]).toEqual([1, 1, sessionId]);
  expect(await anApp().tracking.resume()).toBeNull();
});

test('a relaunch without a network keeps the session, and a later position joins the journey', async () => {
  const { service, phone, launch, sessionId, batch, clock, passing } = await onTheWay();
  launch();
  service.script = () => 'offline';
  await passing(phone.deliver(...batch(0)), 60_000);
  expect([phone.updates.size, phone.stored.size]).toEqual([1, 1]);
  service.script = () => undefined;
  const lastUpdate = service.live(sessionId).lastUpdate;
  await passing(phone.deliver(...batch(0)));
  await clock.advance(0);
  expect(service.live(sessionId).lastUpdate).not.toBe(lastUpdate);
});

test('the end of the journey stops the updates and forgets the session', async () => {
  const { tracking, isReleased, clock } = await onTheWay();
  await tracking.current.tracker?.stop();
  await clock.advance(0);
  expect([isReleased(), tracking.current.tracker?.state]).toEqual([true, 'ended']);
});

test('a refusal of a position, such as after the end on another phone, stops the updates too', async () => {
  const { service, phone, sessionId, batch, isReleased, passing } = await onTheWay();
  service.end(sessionId, 'cancelled');
  await passing(phone.deliver(...batch(0)), 1_000);
  expect(isReleased()).toBe(true);
});

test('the end of a journey does not stop the updates of the next one', async () => {
  const { tracking, phone, clock } = await onTheWay();
  const next = randomUUID();
  await tracking.current.tracker?.stop();
  await tracking.start(next);
  await clock.advance(0);
  expect([phone.updates.size, [...phone.stored.values()]]).toEqual([1, [next]]);
});

test('a permission that is withdrawn is shown to trainer and student, until it is given again', async () => {
  const { service, phone, tracking, sessionId, batch, clock, passing } = await onTheWay();
  const granted = phone.permission;
  phone.permission = { ...granted, granted: false, canAskAgain: false };
  await passing(phone.fail(), 5_000);
  expect(tracking.current.problem).toBe('deniedForever');
  expect(service.live(sessionId).trainerProblem).toBe('permission');
  phone.permission = granted;
  const started = phone.updatesStarted;
  phone.openApp();
  await clock.advance(0);
  expect([tracking.current.problem, phone.updatesStarted]).toEqual([null, started + 1]);
  await passing(phone.deliver(...batch(0)), 5_000);
  expect(service.live(sessionId).trainerProblem).toBeNull();
});

test.each<[LocationProblem, string, Partial<FakePhone>]>([
  ['locationOff', 'noFix', { hasLocationOn: false }],
  ['lowPower', 'lowPower', { hasBatterySaver: true }],
  ['noFix', 'noFix', {}],
])('silence with %s is shown with its reason, and as %s to the student', async (problem, shown, trouble) => {
  const { service, phone, tracking, sessionId, batch, clock, passing } = await onTheWay();
  Object.assign(phone, trouble);
  await clock.advance(30_000);
  expect(tracking.current.problem).toBe(problem);
  expect(service.live(sessionId).trainerProblem).toBe(shown);
  Object.assign(phone, { hasLocationOn: true, hasBatterySaver: false });
  await passing(phone.deliver(...batch(0)), 5_000);
  expect([tracking.current.problem, service.live(sessionId).trainerProblem]).toEqual([null, null]);
});

test('coarse positions are sent, and the reason is shown when the accuracy was reduced', async () => {
  const { service, phone, tracking, sessionId, batch, passing } = await onTheWay();
  phone.permission = onIos('reduced');
  const coarse = batch(0).map((position) => ({
    ...position,
    coords: { ...position.coords, accuracy: 3_000 },
  }));
  await passing(phone.deliver(...coarse), 10_000);
  expect(tracking.current.problem).toBe('reducedAccuracy');
  expect(service.live(sessionId)).toMatchObject({
    trainerProblem: 'reducedAccuracy',
    location: { accuracy: 3_000 },
  });
});

test('signing out stops the updates, forgets the session and leaves the journey as it is', async () => {
  const { service, tracking, sessionId, isReleased, clock } = await onTheWay();
  await tracking.signOut();
  expect([isReleased(), clock.alarms]).toEqual([true, 0]);
  expect(tracking.current).toEqual({ sessionId: null, tracker: null, problem: null });
  expect(service.live(sessionId).isActive).toBe(true);
  expect(await tracking.resume()).toBeNull();
});

test('signing out during a start leaves nothing behind', async () => {
  const { service, tracking, sessionId, isReleased, passing, clock } = anApp();
  service.script = () => 'offline';
  const failed = tracking.start(sessionId).catch((error: unknown) => error);
  await clock.advance(1_000);
  await tracking.signOut();
  expect(await passing(failed)).toMatchObject({ code: 'ABORTED' });
  expect([isReleased(), clock.alarms, tracking.current.tracker]).toEqual([true, 0, null]);
});

test('current is the same object until the next change', async () => {
  const { phone, tracking } = await onTheWay();
  const seen = [tracking.current];
  tracking.on('change', (state) => seen.push(state));
  await tracking.check();
  expect(tracking.current).toBe(seen[0]);
  phone.hasLocationOn = false;
  await tracking.check();
  expect([seen.length, tracking.current]).toEqual([2, seen[1]]);
});

import { JourneyApi, StudentWatcher, TrainerTracker } from '../../src/client/index.js';
import { aSession, metersNorth, type ASession } from '../support/a-session.js';
import { runService, type RunningService } from '../support/running-service.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';
import { untilWaiting } from '../support/waiting-polls.js';
import { recordTracker, recordWatcher } from './scripted-clients.js';

let service: RunningService;
let network: TcpProxy;
const open: (TrainerTracker | StudentWatcher)[] = [];
beforeAll(async () => {
  service = await runService({ settings: { UPDATE_INTERVAL_MS: '500', UPDATE_TOLERANCE_MS: '100' } });
});
afterAll(() => service.stop());
beforeEach(async () => {
  network = await startTcpProxy(service.url);
});
afterEach(async () => {
  for (const each of open.splice(0)) each.close();
  await network.stop();
});

const apiOf = (token: string) =>
  new JourneyApi({ baseUrl: `http://127.0.0.1:${network.port}`, getToken: () => token });

function aTrainer({ trainerToken, sessionId }: ASession) {
  const tracker = new TrainerTracker({ api: apiOf(trainerToken), sessionId });
  open.push(tracker);
  return { tracker, record: recordTracker(tracker) };
}

function aStudent({ studentToken, sessionId }: ASession) {
  const watcher = new StudentWatcher({ api: apiOf(studentToken), sessionId });
  open.push(watcher);
  const record = recordWatcher(watcher);
  watcher.start();
  return { watcher, record };
}

/** Pushes a position ten times a second until the condition holds. */
async function whilePushing(
  tracker: TrainerTracker,
  what: string,
  condition: () => boolean,
  withinMs = 20_000,
): Promise<void> {
  const timer = setInterval(() => {
    tracker.push({ coords: { ...metersNorth(100), accuracy: 8, speed: -1, heading: null } });
  }, 100);
  try {
    await until(what, condition, withinMs);
  } finally {
    clearInterval(timer);
  }
}

test('a student who waits sees a journey from its start to the arrival', async () => {
  const session = await aSession();
  const { tracker } = aTrainer(session);
  const { watcher, record } = aStudent(session);
  await until('the student waits for the start', () => record.states.includes('waiting'));
  await tracker.start();
  const shown = () => new Set(record.changes.map(({ position }) => position?.sequence));
  await whilePushing(tracker, 'three positions are seen', () => shown().size > 3);
  await untilWaiting(service, 1);
  expect(record.states).toEqual(['waiting', 'live']);
  expect((await tracker.arrived()).distance).toBeLessThanOrEqual(150);
  await until('the student sees the end', () => record.ended.length > 0);
  expect(record.ended).toMatchObject([{ reason: 'arrived', endedAt: expect.any(String) as unknown }]);
  expect(watcher.watched.position).not.toBeNull();
});

test('a new tracker of a running journey continues above the last sequence', async () => {
  const session = await aSession();
  const first = aTrainer(session);
  await first.tracker.start();
  await whilePushing(first.tracker, 'three are sent', () => first.record.sent.length >= 3);
  first.tracker.close();
  const { tracker, record } = aTrainer(session);
  expect((await tracker.start()).wasRunning).toBe(true);
  await whilePushing(tracker, 'one is sent', () => record.sent.length > 0);
  expect(record.dropped.map(({ error }) => error.code)).toEqual(['LOCATION_STALE']);
  expect(record.sent[0]?.sequence).toBeGreaterThan(first.record.sent.at(-1)?.sequence ?? Infinity);
});

test('the tracking continues on a slow, a thin, a cut and a hanging network', async () => {
  const session = await aSession();
  const { tracker, record } = aTrainer(session);
  const { watcher } = aStudent(session);
  await tracker.start();
  const isSent = async (network: string) => {
    const count = record.sent.length + 2;
    await whilePushing(tracker, `${network}: sent`, () => record.sent.length >= count, 30_000);
  };
  network.delay(400);
  await isSent('slow');
  network.heal();
  network.throttle(1_500);
  await isSent('thin');
  network.heal();
  for (const outage of ['cut', 'freeze'] as const) {
    const failures = record.retrying.length;
    network[outage]();
    await whilePushing(tracker, `${outage}: a failure`, () => record.retrying.length > failures);
    expect(tracker.state).toBe('reconnecting');
    network.heal();
    await isSent(outage);
  }
  const last = record.sent.at(-1)?.sequence ?? 0;
  const isSeen = () => (watcher.watched.position?.sequence ?? 0) >= last;
  await whilePushing(tracker, 'the student sees it', isSeen, 40_000);
  expect(record.ended).toEqual([]);
}, 120_000);

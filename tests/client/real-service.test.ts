import { JourneyApi, StudentWatcher, TrainerTracker } from '../../src/client/index.js';
import { startLocalEventBus } from '../../src/dev/event-bus/local-event-bus.js';
import { freePort } from '../../src/dev/servers/server-process.js';
import { aSession, metersNorth } from '../support/a-session.js';
import { runService } from '../support/running-service.js';
import { runServiceProcess } from '../support/service-process.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';
import { untilWaiting } from '../support/waiting-polls.js';
import { recordTracker, recordWatcher } from './scripted-clients.js';

// Concurrent, because they wait for the clients' timeouts and pauses.
const settings = { UPDATE_INTERVAL_MS: '500', UPDATE_TOLERANCE_MS: '100' };

/** A service behind a network of its own, and the clients of a session. */
async function aClientsWorld() {
  const service = await runService({ settings });
  // Several start at the same time, which makes their first queries slow.
  await until('the service is ready', async () => (await fetch(`${service.url}/health/ready`)).ok);
  const network = await startTcpProxy(service.url);
  const session = await aSession();
  const open: (TrainerTracker | StudentWatcher)[] = [];
  const apiOf = (token: string) =>
    new JourneyApi({ baseUrl: `http://127.0.0.1:${network.port}`, getToken: () => token });
  return {
    service,
    network,
    aTrainer: () => {
      const tracker = new TrainerTracker({
        api: apiOf(session.trainerToken),
        sessionId: session.sessionId,
      });
      open.push(tracker);
      return { tracker, record: recordTracker(tracker) };
    },
    aStudent: () => {
      const watcher = new StudentWatcher({
        api: apiOf(session.studentToken),
        sessionId: session.sessionId,
      });
      open.push(watcher);
      const record = recordWatcher(watcher);
      watcher.start();
      return { watcher, record };
    },
    end: async () => {
      for (const each of open) each.close();
      await network.stop();
      await service.stop();
    },
  };
}

/** Pushes a position ten times a second until the condition holds. */
async function whilePushing(
  tracker: TrainerTracker,
  what: string,
  condition: () => boolean,
  withinMs = 20_000,
): Promise<void> {
  const timer = setInterval(() => {
    void tracker.push({ coords: { ...metersNorth(100), accuracy: 8, speed: -1, heading: null } });
  }, 100);
  try {
    await until(what, condition, withinMs);
  } finally {
    clearInterval(timer);
  }
}

test.concurrent('a student who waits sees a journey from its start to the arrival', async () => {
  const { service, aTrainer, aStudent, end } = await aClientsWorld();
  const { tracker } = aTrainer();
  const { watcher, record } = aStudent();
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
  await end();
});

test.concurrent('the student sees why there is no position, and that the trainer stands', async () => {
  const { aTrainer, aStudent, end } = await aClientsWorld();
  const { tracker, record } = aTrainer();
  const { watcher } = aStudent();
  await tracker.start();
  await whilePushing(tracker, 'one is sent', () => record.sent.length > 0);
  tracker.report('noFix');
  await until('the student sees noFix', () => watcher.watched.trainerProblem === 'noFix');
  expect(tracker.tracked).toMatchObject({ state: 'tracking', problem: 'noFix', lastError: null });
  tracker.report('still');
  const isStanding = () => watcher.watched.trainerProblem === null && watcher.watched.stillSeconds !== null;
  await until('the student sees that the trainer stands', isStanding);
  expect([tracker.tracked.problem, watcher.state, record.dropped]).toEqual([null, 'live', []]);
  await end();
});

test.concurrent('a new tracker of a running journey continues above the last sequence', async () => {
  const { aTrainer, end } = await aClientsWorld();
  const first = aTrainer();
  await first.tracker.start();
  await whilePushing(first.tracker, 'three are sent', () => first.record.sent.length >= 3);
  first.tracker.close();
  const { tracker, record } = aTrainer();
  expect((await tracker.start()).wasRunning).toBe(true);
  await whilePushing(tracker, 'one is sent', () => record.sent.length > 0);
  expect(record.dropped).toEqual([]);
  expect(record.sent[0]?.sequence).toBeGreaterThan(first.record.sent.at(-1)?.sequence ?? Infinity);
  tracker.close();
  const resumed = aTrainer();
  expect(await resumed.tracker.resume()).toMatchObject({ wasRunning: true });
  await whilePushing(resumed.tracker, 'one is sent', () => resumed.record.sent.length > 0);
  expect(resumed.record.dropped).toEqual([]);
  await resumed.tracker.stop();
  expect(await aTrainer().tracker.resume()).toBeNull();
  expect((await tracker.stop()).stoppedAt).not.toBeNull();
  await end();
});

test.concurrent(
  'the tracking continues on a slow, a thin, a cut and a hanging network',
  async () => {
    const { network, aTrainer, aStudent, end } = await aClientsWorld();
    const { tracker, record } = aTrainer();
    const { watcher } = aStudent();
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
    await end();
  },
  120_000,
);

test.concurrent(
  'a journey continues for trainer and student after the service was killed and started again',
  async () => {
    const bus = await startLocalEventBus();
    const onOnePort = { ...settings, PORT: String(await freePort()) };
    const killed = await runServiceProcess(bus, onOnePort);
    const { sessionId, trainerToken, studentToken } = await aSession();
    const apiFor = (token: string) => new JourneyApi({ baseUrl: killed.url, getToken: () => token });
    const tracker = new TrainerTracker({ api: apiFor(trainerToken), sessionId });
    const watcher = new StudentWatcher({ api: apiFor(studentToken), sessionId });
    const [sentTo, seen] = [recordTracker(tracker), recordWatcher(watcher)];
    await tracker.start();
    watcher.start();
    const pushing = setInterval(() => {
      void tracker.push({ coords: { ...metersNorth(900), accuracy: 8 } });
    }, 100);
    try {
      await until('a position is seen', () => watcher.state === 'live');
      killed.kill('SIGKILL');
      await killed.exited;
      await until('both notice', () => tracker.state === 'reconnecting' && watcher.state === 'reconnecting');
      expect(watcher.watched.position).not.toBeNull();

      const next = await runServiceProcess(bus, onOnePort);
      const before = sentTo.sent.length;
      await until('both are back', () => sentTo.sent.length > before + 1 && watcher.state === 'live', 45_000);
      const sequence = sentTo.sent.at(-1)?.sequence ?? 0;
      await until('the new position is seen', () => (watcher.watched.position?.sequence ?? 0) >= sequence);
      await tracker.stop();
      await until('the student hears of the end', () => seen.ended.length > 0, 40_000);
      expect(seen.ended).toMatchObject([{ reason: 'cancelled' }]);
      expect(sentTo.ended).toEqual([{ reason: 'cancelled' }]);
      next.kill('SIGKILL');
      await next.exited;
    } finally {
      clearInterval(pushing);
      tracker.close();
      watcher.close();
      await bus.stop();
    }
  },
  120_000,
);

import { JourneyApi, StudentWatcher, TrainerTracker } from '../../src/client/index.js';
import { startLocalEventBus, type LocalEventBus } from '../../src/dev/event-bus/local-event-bus.js';
import { freePort } from '../../src/dev/servers/server-process.js';
import { aSession, metersNorth } from '../support/a-session.js';
import { runServiceProcess } from '../support/service-process.js';
import { until } from '../support/until.js';
import { recordTracker, recordWatcher } from './scripted-clients.js';

let bus: LocalEventBus;
beforeAll(async () => {
  bus = await startLocalEventBus();
});
afterAll(() => bus.stop());

test('a journey continues for trainer and student after the service was killed and started again', async () => {
  const settings = {
    PORT: String(await freePort()),
    UPDATE_INTERVAL_MS: '500',
    UPDATE_TOLERANCE_MS: '100',
  };
  const killed = await runServiceProcess(bus, settings);
  const { sessionId, trainerToken, studentToken } = await aSession();
  const apiFor = (token: string) => new JourneyApi({ baseUrl: killed.url, getToken: () => token });
  const tracker = new TrainerTracker({ api: apiFor(trainerToken), sessionId });
  const watcher = new StudentWatcher({ api: apiFor(studentToken), sessionId });
  const [sentTo, seen] = [recordTracker(tracker), recordWatcher(watcher)];
  await tracker.start();
  watcher.start();
  const pushing = setInterval(() => {
    tracker.push({ coords: { ...metersNorth(900), accuracy: 8 } });
  }, 100);
  try {
    await until('a position is seen', () => watcher.state === 'live');
    killed.kill('SIGKILL');
    await killed.exited;
    await until('both notice', () => tracker.state === 'reconnecting' && watcher.state === 'reconnecting');
    expect(watcher.watched.position).not.toBeNull();

    const next = await runServiceProcess(bus, settings);
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
  }
}, 120_000);

import { JourneyApi, StudentWatcher, TrainerTracker } from '../../src/client/index.js';
import { aSession, metersNorth, type ASession } from '../support/a-session.js';
import { metric, runService, type RunningService } from '../support/running-service.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';
import { untilWaiting } from '../support/waiting-polls.js';
import { recordTracker, recordWatcher } from './recorded-events.js';

const INTERVAL_MS = 500;

let service: RunningService;
let network: TcpProxy;
beforeAll(async () => {
  service = await runService({
    settings: { UPDATE_INTERVAL_MS: String(INTERVAL_MS), UPDATE_TOLERANCE_MS: '100' },
  });
});
afterAll(() => service.stop());
beforeEach(async () => {
  network = await startTcpProxy(service.url);
});
afterEach(async () => {
  closeAll();
  await network.stop();
});

const open: (TrainerTracker | StudentWatcher)[] = [];
function closeAll(): void {
  for (const each of open.splice(0)) each.close();
}

/** How many updates came too early, of all tests together. */
const limited = () => metric(service, 'location_updates_total', 'rateLimited');

interface Phone {
  session: ASession;
  tracker: TrainerTracker;
  record: ReturnType<typeof recordTracker>;
  /** Of each request. */
  times: number[];
  push: (metres: number) => void;
}

function apiOf(token: string, times: number[] = []): JourneyApi {
  return new JourneyApi({
    baseUrl: `http://127.0.0.1:${network.port}`,
    getToken: () => token,
    fetch: (url, init) => {
      times.push(performance.now());
      return fetch(url, init);
    },
  });
}

async function aTrainer(): Promise<Phone> {
  const session = await aSession();
  const times: number[] = [];
  const tracker = new TrainerTracker({
    api: apiOf(session.trainerToken, times),
    sessionId: session.sessionId,
  });
  open.push(tracker);
  const push = (metres: number) => {
    tracker.push({ coords: { ...metersNorth(metres), accuracy: 8, speed: -1, heading: null } });
  };
  return { session, tracker, record: recordTracker(tracker), times, push };
}

function aStudent({ studentToken, sessionId }: ASession) {
  const watcher = new StudentWatcher({ api: apiOf(studentToken), sessionId });
  open.push(watcher);
  const record = recordWatcher(watcher);
  watcher.start();
  return { watcher, record };
}

/** How far the trainers have gone: on from one wait to the next, so that no position jumps. */
let steps = 0;

/** Pushes ten times a second, at 36 km/h, until the condition holds. */
async function whilePushing<T>(
  phones: Phone[],
  what: string,
  condition: () => T | false | undefined,
  withinMs = 20_000,
): Promise<T> {
  const timer = setInterval(() => {
    steps += 1;
    for (const { push } of phones) push(800 - steps);
  }, 100);
  try {
    return await until(what, condition, withinMs);
  } finally {
    clearInterval(timer);
  }
}

test('a journey from its start to the arrival, as the student sees it', async () => {
  const trainer = await aTrainer();
  const { watcher, record } = aStudent(trainer.session);
  await until('the student waits for the start', () => record.states.includes('waiting'));
  await trainer.tracker.start();
  const nearby = {
    ...trainer,
    push: () => {
      trainer.push(100);
    },
  };
  await whilePushing([nearby], 'three positions are seen', () => shownSequences(record).length >= 3);
  expect(record.states).toEqual(['waiting', 'live']);
  expect((await trainer.tracker.arrived()).distance).toBeLessThanOrEqual(150);
  await until('the student hears of the end', () => record.ended.length > 0);
  expect(record.ended).toMatchObject([{ reason: 'arrived', endedAt: expect.any(String) as unknown }]);
  expect(watcher.watched.position).not.toBeNull();
});

test('the service lets the student wait: while nothing changes one request is held, and no other is made', async () => {
  const trainer = await aTrainer();
  await trainer.tracker.start();
  const times: number[] = [];
  const { studentToken, sessionId } = trainer.session;
  const watcher = new StudentWatcher({ api: apiOf(studentToken, times), sessionId });
  open.push(watcher);
  watcher.start();
  await whilePushing([trainer], 'a position', () => watcher.watched.position !== null);
  await untilWaiting(service, 1);
  const count = times.length;
  await until('a time in which it would have polled', () => performance.now() - (times.at(-1) ?? 0) > 3_000);
  // A position that was on its way may have come in between, and is followed by one request.
  expect(times.length - count).toBeLessThanOrEqual(1);
  await untilWaiting(service, 1);
});

test('a tracker built anew for a journey that runs goes on above the last sequence', async () => {
  const first = await aTrainer();
  await first.tracker.start();
  await whilePushing([first], 'three are sent', () => first.record.sent.length >= 3);
  first.tracker.close();

  const tracker = new TrainerTracker({
    api: apiOf(first.session.trainerToken),
    sessionId: first.session.sessionId,
  });
  open.push(tracker);
  const again: Phone = {
    ...first,
    tracker,
    record: recordTracker(tracker),
    push: (metres) => {
      tracker.push({ coords: { ...metersNorth(metres), accuracy: 8 } });
    },
  };
  expect((await tracker.start()).wasRunning).toBe(true);
  await whilePushing([again], 'one is sent', () => again.record.sent.length > 0);
  expect(again.record.dropped.map(({ error }) => error.code)).toEqual(['LOCATION_STALE']);
  const last = again.record.dropped[0]?.error.detail('lastSequence');
  expect(last).toBeGreaterThanOrEqual(3);
  expect(again.record.sent[0]?.sequence).toBeGreaterThan(Number(last));
  await tracker.stop();
});

test('a line that is slow, thin, cut and dark in turn: the tracking goes on, one request at a time', async () => {
  const trainer = await aTrainer();
  const { watcher } = aStudent(trainer.session);
  await trainer.tracker.start();
  const steps: [string, () => void][] = [
    [
      'delay of 400 ms each way',
      () => {
        network.delay(400);
      },
    ],
    [
      '1,500 bytes a second',
      () => {
        network.heal();
        network.throttle(1_500);
      },
    ],
    [
      'cut',
      () => {
        network.heal();
        network.cut();
      },
    ],
    [
      'dark',
      () => {
        network.heal();
        network.freeze();
      },
    ],
  ];
  for (const [name, impair] of steps) {
    impair();
    const isAway = name === 'cut' || name === 'dark';
    const { retrying, sent } = trainer.record;
    const [failures, successes] = [retrying.length, sent.length];
    if (isAway) {
      await whilePushing([trainer], `${name}: a failure`, () => retrying.length > failures);
      expect(trainer.tracker.state).toBe('reconnecting');
      network.heal();
    }
    await whilePushing([trainer], `${name}: sent`, () => sent.length >= successes + 2, 30_000);
  }
  const last = trainer.record.sent.at(-1)?.sequence ?? 0;
  await whilePushing(
    [trainer],
    'the student sees it',
    () => (watcher.watched.position?.sequence ?? 0) >= last,
    40_000,
  );
  expect(trainer.record.ended).toEqual([]);
}, 120_000);

test('a start whose answer the network swallowed is the same start when it is made again', async () => {
  const trainer = await aTrainer();
  let isLost = false;
  const api = new JourneyApi({
    baseUrl: service.url,
    getToken: () => trainer.session.trainerToken,
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      if (isLost) return response;
      isLost = true;
      throw new TypeError('the answer was lost');
    },
  });
  const tracker = new TrainerTracker({ api, sessionId: trainer.session.sessionId });
  open.push(tracker);
  expect(await tracker.start()).toMatchObject({ wasRunning: false });
  await tracker.stop();
});

test('30 trackers after an outage of 3 s: no spike above twice the normal rate, and no 429', async () => {
  const phones = await Promise.all(Array.from({ length: 30 }, () => aTrainer()));
  const refusedBefore = await limited();
  for (const [index, { tracker }] of phones.entries()) {
    setTimeout(() => void tracker.start(), (index * INTERVAL_MS) / phones.length);
  }
  await whilePushing(phones, 'all are sending', () => phones.every(({ record }) => record.sent.length >= 4));
  const beganAtMs = performance.now();
  await whilePushing(phones, 'three ordinary seconds', () => performance.now() - beganAtMs > 3_000);
  network.cut();
  const cutAtMs = performance.now();
  await whilePushing(phones, 'the outage is over', () => performance.now() - cutAtMs > 3_000);
  network.heal();
  const backAtMs = performance.now();
  const counts = phones.map(({ record }) => record.sent.length);
  const allAreBack = () =>
    phones.every(({ record }, index) => record.sent.length >= (counts[index] ?? 0) + 5);
  await whilePushing(phones, 'all have sent five since', allAreBack, 40_000);

  const times = phones.flatMap((phone) => phone.times);
  const before = rates(times, beganAtMs, cutAtMs);
  const after = rates(times, backAtMs, performance.now());
  process.stderr.write(
    `\n30 trackers, an outage of 3 s: before ${before.join(' ')} a second, after ${after.join(' ')}\n`,
  );
  const normal = before.reduce((sum, rate) => sum + rate, 0) / before.length;
  expect(Math.max(...after)).toBeLessThanOrEqual(2 * normal);
  expect((await limited()) - refusedBefore).toBe(0);
}, 90_000);

/** How many in each whole second. */
function rates(times: number[], fromMs: number, untilMs: number): number[] {
  return Array.from({ length: Math.floor((untilMs - fromMs) / 1_000) }, (_, second) => {
    const startMs = fromMs + second * 1_000;
    return times.filter((time) => time >= startMs && time < startMs + 1_000).length;
  });
}

function shownSequences({ changes }: ReturnType<typeof recordWatcher>): number[] {
  return [...new Set(changes.flatMap(({ position }) => position?.sequence ?? []))];
}

import { randomUUID } from 'node:crypto';
import {
  JourneyApi,
  StudentWatcher,
  TrainerTracker,
  type JourneyApiError,
  type LiveAnswer,
} from '../../src/client/index.js';
import { FakeService, refusal, VirtualClock } from '../../src/client/testing/index.js';
import { aSession, HOME, metersNorth } from '../support/a-session.js';
import { MovableClock } from '../support/movable-clock.js';
import { runService } from '../support/running-service.js';
import { recordTracker, recordWatcher } from './scripted-clients.js';

/** Of the trainer and the student of one session, with what each call was answered. */
interface World {
  sessionId: string;
  trainer: JourneyApi;
  student: JourneyApi;
  pass(ms: number): void | Promise<void>;
  answers: unknown[];
}

const HEADERS = [
  'Next-Poll-Ms',
  'Location-Age-Ms',
  'Preference-Applied',
  'Retry-After',
  'Idempotency-Replayed',
];
/** What differs by nature, or what the fake says that it does not simulate. */
const NOT_COMPARED = [
  ...['message', 'requestId', 'trainerId', 'studentId', 'sessionId'],
  ...['etaSeconds', 'etaLowSeconds', 'etaHighSeconds', 'stillSeconds'],
];

/** Records each answer, with times as milliseconds since the beginning. */
function recorder(send: typeof fetch, beganAtMs: number) {
  const answers: unknown[] = [];
  const etags: (string | null)[] = [];
  const comparable = (name: string, value: unknown) => {
    if (NOT_COMPARED.includes(name)) return 'any';
    const isTime = typeof value === 'string' && /^\d{4}-.*Z$/.test(value);
    return isTime ? Date.parse(value) - beganAtMs : value;
  };
  const recording: typeof fetch = async (url, init) => {
    const response = await send(url, init);
    const text = await response.text();
    const etag = response.headers.get('ETag');
    if (!etags.includes(etag)) etags.push(etag);
    const headers = HEADERS.map((name) => response.headers.get(name));
    const body: unknown = response.status === 304 ? null : JSON.parse(text, comparable as never);
    answers.push([response.status, etags.indexOf(etag), headers, body]);
    return {
      status: response.status,
      headers: response.headers,
      text: () => Promise.resolve(text),
    } as Response;
  };
  return { answers, recording };
}

/** Every call with every outcome that needs no trouble. */
async function scenario({ sessionId, trainer, student, pass }: World): Promise<void> {
  const refused = (call: Promise<unknown>) => call.catch((error: JourneyApiError) => error.code);
  const update = (metres: number, sequence: number, more = {}) =>
    refused(trainer.update({ sessionId, ...metersNorth(metres), accuracy: 8, sequence, ...more }));
  const beat = (sequence: number, body: { still: true } | { problem: 'noFix' }) =>
    refused(trainer.update({ sessionId, sequence, ...body }));
  let known: LiveAnswer['etag'] = null;
  const live = async (waitSeconds = 0, etag = known) => {
    known = (await student.live(sessionId, { etag, waitSeconds })).etag;
  };
  await live();
  await live();
  await refused(trainer.stop(sessionId));
  await update(400, 1);
  await trainer.start(sessionId, { idempotencyKey: 'first' });
  await trainer.start(sessionId, { idempotencyKey: 'first' });
  await refused(trainer.start(sessionId));
  await live();
  await refused(trainer.arrived(sessionId));
  await beat(1, { still: true });
  await update(400, 1);
  await update(400, 1);
  await update(400, 2);
  await refused(trainer.start(sessionId));
  await live();
  await pass(3_000);
  await live();
  await live(5, 'W/"another"');
  await pass(2_000);
  await update(380, 1);
  await update(380, 2, { mocked: true });
  await update(380, 2, { ageMs: 301_000 });
  await refused(trainer.arrived(sessionId));
  await update(320, 3, { ageMs: 400, speed: 8, heading: 180 });
  await live();
  await pass(5_000);
  await beat(4, { still: true });
  await beat(4, { still: true });
  await live();
  await pass(5_000);
  await beat(5, { problem: 'noFix' });
  await live();
  await pass(16_000);
  await live();
  await pass(50_000);
  await live(0, null);
  await update(100, 9);
  await live();
  await trainer.arrived(sessionId, { idempotencyKey: 'door' });
  await trainer.arrived(sessionId, { idempotencyKey: 'door' });
  await refused(trainer.stop(sessionId));
  await update(90, 10);
  await live();
  await live();
}

test('the fake answers a journey from before its start to after its end as the service does', async () => {
  const clock = new MovableClock();
  const service = await runService({ clock: clock.now });
  const session = await aSession();
  const real = recorder(fetch, clock.now());
  const realApi = (token: string) =>
    new JourneyApi({ baseUrl: service.url, getToken: () => token, fetch: real.recording });
  await scenario({
    ...{ sessionId: session.sessionId, answers: real.answers },
    trainer: realApi(session.trainerToken),
    student: realApi(session.studentToken),
    pass: (ms) => {
      clock.advance(ms);
    },
  });
  await service.stop();

  const fakeService = new FakeService({ home: HOME });
  const fake = recorder(fakeService.fetch, fakeService.clock.wallMs());
  const api = fakeService.api({ fetch: fake.recording });
  await scenario({
    ...{ sessionId: randomUUID(), answers: fake.answers, trainer: api, student: api },
    pass: (ms) => fakeService.clock.advance(ms),
  });
  expect(fake.answers).toEqual(real.answers);
});

const near = { latitude: 12.972, longitude: 77.5946, accuracy: 8 };

test("a test moves the trainer, and the student's watcher sees it as soon as it waits", async () => {
  const service = new FakeService();
  const sessionId = randomUUID();
  const watcher = new StudentWatcher({ api: service.api(), sessionId });
  const record = recordWatcher(watcher);
  watcher.start();
  await service.clock.advance(2_000);
  service.start(sessionId);
  service.moveTo(sessionId, near);
  service.show(sessionId, { etaSeconds: 60, etaLowSeconds: 30, etaHighSeconds: 90 });
  await service.clock.advance(1_000);
  expect(watcher.watched).toMatchObject({ state: 'live', position: near, etaSeconds: 60 });
  await service.clock.advance(80_000);
  expect(watcher.state).toBe('stale');
  service.end(sessionId, 'cancelled');
  await service.clock.advance(0);
  expect(watcher.watched.ended).toMatchObject({ reason: 'cancelled' });
  expect(record.states).toEqual(['waiting', 'live', 'delayed', 'stale', 'ended']);
  expect([service.clock.alarms, service.inFlight]).toEqual([0, 0]);
});

test('a test lets the network fail, an answer be late, and a call be refused', async () => {
  const service = new FakeService();
  const sessionId = randomUUID();
  const tracker = new TrainerTracker({ api: service.api(), sessionId });
  const record = recordTracker(tracker);
  service.script = ({ kind }, earlier) => {
    if (kind === 'start') return earlier === 0 ? 'offline' : undefined;
    if (kind === 'arrived') return refusal(503, 'STATE_UNAVAILABLE', { headers: { 'Retry-After': '2' } });
    return earlier === 0 ? { ...refusal(400, 'LOCATION_IMPLAUSIBLE'), tookMs: 3_000 } : undefined;
  };
  void tracker.start();
  await service.clock.advance(2_000);
  expect([tracker.state, service.live(sessionId).isActive]).toEqual(['tracking', true]);
  const outcome = tracker.push({ coords: near });
  await service.clock.advance(2_900);
  expect(record.dropped).toEqual([]);
  await service.clock.advance(100);
  expect([await outcome, tracker.tracked.lastError?.code]).toEqual(['dropped', 'LOCATION_IMPLAUSIBLE']);
  void tracker.arrived().catch(() => undefined);
  await service.clock.advance(3_000);
  expect(service.callsOf('arrived').length).toBeGreaterThan(1);
  service.script = () => undefined;
  void tracker.push({ coords: near });
  await service.clock.advance(10_000);
  expect(service.live(sessionId).isActive).toBe(true);
  await service.clock.advance(3_600_000);
  expect([tracker.state, service.live(sessionId).isActive]).toEqual(['ended', false]);
});

test('time passes on the virtual clock also while a test framework replaces the timers', async () => {
  jest.useFakeTimers();
  try {
    const clock = new VirtualClock();
    const rung: number[] = [];
    clock.after(20, () => rung.push(20));
    clock.after(10, () => clock.after(5, () => rung.push(15)));
    clock.after(30, () => rung.push(30))();
    await clock.advance(100);
    expect(rung).toEqual([15, 20]);
  } finally {
    jest.useRealTimers();
  }
});

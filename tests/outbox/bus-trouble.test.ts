import { internalFailure, throttled, type Trouble } from '../../src/dev/event-bus/local-event-bus.js';
import { aSession } from '../support/a-session.js';
import { fiveCalls } from '../support/five-calls.js';
import { metric, type RunningService } from '../support/running-service.js';
import { until } from '../support/until.js';
import { OwnService } from './own-service.js';

let own: OwnService;
let service: RunningService;
beforeAll(async () => {
  own = await OwnService.start();
  ({ service } = own);
});
afterEach(async () => {
  service.bus.failWhile(undefined);
  await own.everythingPublished();
});
afterAll(() => own.stop());

/** Fails the next calls. Returns the eventIds that the calls so far carried for a session. */
function failFirst(times: number, trouble: Trouble): (sessionId: string) => string[] {
  let left = times;
  const details: string[] = [];
  service.bus.failWhile((entries) => {
    details.push(...entries.map(({ Detail }) => String(Detail)));
    return left-- > 0 ? trouble : undefined;
  });
  return (sessionId) =>
    details
      .filter((detail) => detail.includes(sessionId))
      .map((detail) => (JSON.parse(detail) as { eventId: string }).eventId);
}

test.each<[string, Trouble]>([
  ['answers 500', internalFailure],
  ['throttles', throttled],
  ['closes the connection', { kind: 'close' }],
  [
    'refuses each entry with InternalFailure',
    { kind: 'refuse', code: 'InternalFailure', refuses: () => true },
  ],
  ['accepts the events and its response is lost', { kind: 'lose-answer' }],
  ['reports expired credentials', { kind: 'error', status: 400, code: 'ExpiredTokenException' }],
  ['denies access', { kind: 'error', status: 400, code: 'AccessDeniedException' }],
  ['reports an unknown bus', { kind: 'error', status: 400, code: 'ResourceNotFoundException' }],
  ['answers 200 with an empty object', { kind: 'answer', body: {} }],
  ['answers 200 without an id', { kind: 'answer', body: { FailedEntryCount: 0, Entries: [{}] } }],
  [
    'answers 200 with a failure without a code',
    { kind: 'answer', body: { FailedEntryCount: 1, Entries: [{ ErrorMessage: 'no' }] } },
  ],
])(
  'when EventBridge %s, the event is retried with the same eventId until it is published',
  async (_name, trouble) => {
    const tries = failFirst(2, trouble);
    const session = await aSession();
    expect(await fiveCalls.start(service.url, session)).toMatchObject({ status: 201 });
    await own.everythingPublished();
    const [event] = await own.published(session.sessionId);
    const eventIds = tries(session.sessionId);
    expect(eventIds.length).toBeGreaterThanOrEqual(3);
    expect(new Set(eventIds)).toEqual(new Set([event?.detail['eventId']]));
  },
);

test('while EventBridge hangs, calls are answered in time; afterwards all events are published', async () => {
  const callsBefore = service.bus.calls();
  service.bus.failNext({ kind: 'hang' });
  const waiting = await own.put();
  await until('a call that hangs', () => service.bus.calls() > callsBefore);
  const session = await aSession();
  for (let times = 5; times > 0; times--) {
    const start = await fiveCalls.start(service.url, session);
    const stop = await fiveCalls.stop(service.url, session);
    expect([start.status, stop.status]).toEqual([201, 200]);
    expect(Math.max(start.ms, stop.ms)).toBeLessThan(1_000);
  }
  expect(service.eventsOf(session.sessionId)).toEqual([]);
  expect(await own.published(session.sessionId, 10)).toHaveLength(10);
  expect(await own.published(waiting)).toHaveLength(1);
});

test('only the failed entries of a call are retried', async () => {
  const refused = new Set<unknown>();
  service.bus.failWhile((entries) => {
    if (entries.length < 4 || refused.size > 0) return undefined;
    return {
      kind: 'refuse',
      code: 'InternalFailure',
      refuses: ({ detail }, index) => index % 2 === 1 && refused.add(detail['sessionId']).size > 0,
    };
  });
  // While the relay backs off after this failure, the events gather.
  service.bus.failNext(internalFailure);
  const sessionIds = await own.putMany(8);
  await own.everythingPublished();
  expect(refused.size).toBeGreaterThan(0);
  expect(sessionIds.map((sessionId) => service.eventsOf(sessionId).length)).toEqual(sessionIds.map(() => 1));
});

test('a retry is counted and logged as a warning, not as an error', async () => {
  const before = await metric(service, 'events_retried_total');
  const linesBefore = service.logLines().length;
  failFirst(1, internalFailure);
  await own.put();
  await own.everythingPublished();
  expect(await metric(service, 'events_retried_total')).toBeGreaterThan(before);
  const lines = service.logLines().slice(linesBefore);
  const levels = lines.filter(({ reason }) => reason === 'InternalException').map(({ level }) => level);
  expect(new Set(levels)).toEqual(new Set(['warn']));
});

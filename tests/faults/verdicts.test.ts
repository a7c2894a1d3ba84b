import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { ReceivedEvent } from '../../src/dev/event-bus/local-event-bus.js';
import { endOf, EventLog, startOf } from './event-log.js';
import type { FaultResults } from './fault-run.js';
import { FaultHistory, type Excuses } from './history.js';
import type { OverloadResult } from './overload.js';
import { broken, brokenByOverload, overloadText, tableOf } from './report.js';

const SESSION = '11111111-1111-4111-8111-111111111111';
const AT = '2026-11-25T10:00:00.000Z';
const footprint = { megabytes: 60, openFiles: 28, handles: 12 };

/** A bus that was told of these, and what became of one fault in which one request was answered in time. */
function aFault(told: Record<string, unknown>[], excuses: Excuses = {}) {
  let tell: (event: ReceivedEvent) => void = () => undefined;
  const bus = {
    onEvent: (listener: typeof tell) => {
      tell = listener;
      return () => undefined;
    },
  };
  const history = new FaultHistory('a fault', excuses);
  const events = new EventLog(bus, () => history.name);
  for (const detail of told) {
    const detailType = 'startTime' in detail ? 'TrainerJourneyStarted' : 'TrainerJourneyEnded';
    tell({
      detailType,
      detail: { sessionId: SESSION, eventId: 'one', ...detail },
    } as unknown as ReceivedEvent);
  }
  history.begin();
  history.healed(1_000);
  history.answered(20);
  const resultsOf = (also: Partial<FaultResults> = {}): FaultResults => {
    history.end();
    const rows = [history.row(events, new Set(history.acknowledged))];
    return { rows, before: [footprint], after: [footprint], atTheEnd: [footprint], ...also };
  };
  return { history, events, resultsOf };
}

/** A start that was acknowledged and told of, so that there is something to be wrong about. */
function aGoodFault(excuses?: Excuses) {
  const fault = aFault([{ startTime: AT }], excuses);
  fault.history.acknowledged.push(startOf(SESSION, AT));
  return fault;
}

test('where all is well, all of it held', () => {
  expect(broken(aGoodFault().resultsOf())).toEqual([]);
});

test.each<[what: string, spoil: (history: FaultHistory) => unknown, verdict: string]>([
  [
    'an answer after a second',
    (history) => {
      history.answered(1_001);
    },
    'an answer after 1 s (1×)',
  ],
  [
    'a wrong answer',
    (history) => {
      history.wrong.add('live: 404');
    },
    'live: 404 (1×)',
  ],
  [
    'a connection that broke',
    (history) => {
      history.broken('ECONNRESET', 0);
    },
    'connection: ECONNRESET (1×)',
  ],
  ['a lost journey', (history) => history.journeysLost++, '1 journeys lost'],
  ['a location that is left', (history) => history.orphanedLocations++, '1 locations outlived their journey'],
  [
    'an end that nobody was told of',
    (history) => history.acknowledged.push(endOf(SESSION, AT)),
    '1 events lost',
  ],
  [
    'a failure 2.1 s after the end of the fault',
    (history) => {
      history.refused('503', 3_100);
    },
    'served again only after 2100 ms',
  ],
  [
    'events that take minutes',
    (history) => history.eventsOutMs.push(60_000),
    'events were out only after 60000 ms',
  ],
])('%s is told', (_what, spoil, verdict) => {
  const { history, resultsOf } = aGoodFault();
  spoil(history);
  expect(broken(resultsOf())).toEqual([`a fault: ${verdict}`]);
});

test('an event with another id, and one of a start that no answer told of, are told', () => {
  const { history, resultsOf } = aFault([
    { startTime: AT },
    { startTime: AT, eventId: 'two' },
    { startTime: '2026-11-25T10:00:01.000Z' },
  ]);
  history.acknowledged.push(startOf(SESSION, AT));
  expect(broken(resultsOf())).toEqual([
    'a fault: 1 events with two ids',
    'a fault: 1 events of what no answer told',
  ]);
});

test('a repeat with the same id is counted, and is nothing wrong', () => {
  const { history, resultsOf } = aFault([{ startTime: AT }, { startTime: AT }]);
  history.acknowledged.push(startOf(SESSION, AT));
  const results = resultsOf();
  expect(results.rows[0]).toMatchObject({ events: 1, eventsLost: 0, eventsRepeated: 1 });
  expect(broken(results)).toEqual([]);
});

test('a fault without a request or without an event proves nothing', () => {
  const { resultsOf } = aFault([]);
  expect(broken(resultsOf())).toEqual(['a fault: no event was told']);
});

test('a process that stands still for 2 s is forgiven answers after 3 s, and none later', () => {
  const { history, resultsOf } = aGoodFault({ laterByMs: 2_000 });
  history.answered(2_999);
  expect(broken(resultsOf())).toEqual([]);
  history.answered(3_001);
  expect(broken(resultsOf())).toEqual(['a fault: an answer after 3 s (1×)']);
});

test('of a Redis that lost its data, only what had not been told by then is forgiven', () => {
  const { history, events, resultsOf } = aGoodFault({ lostData: true });
  history.acknowledged.push(endOf(SESSION, AT));
  history.forgetUntold(events);
  history.acknowledged.push(endOf(SESSION, '2026-11-25T10:00:05.000Z'));
  expect(broken(resultsOf())).toEqual(['a fault: 1 events lost']);
});

test.each([
  ['after', { megabytes: 90 }, 'after the faults a process has 30 MB more'],
  ['atTheEnd', { openFiles: 40 }, 'at the end a process has 12 open files more'],
  ['after', { handles: NaN }, 'after the faults a process has NaN handles more'],
])('%s, what a process holds is compared with before: %j', (when, more, verdict) => {
  const { resultsOf } = aGoodFault();
  expect(broken(resultsOf({ [when]: [{ ...footprint, ...more }] }))).toEqual([verdict]);
});

test('the table is Markdown with a line for each fault', () => {
  const lines = tableOf(aGoodFault().resultsOf().rows).split('\n');
  expect(lines).toHaveLength(3);
  expect(new Set(lines.map((line) => line.split('|').length)).size).toBe(1);
});

const spread = (p99: number) => ({ count: 100, p50: 1, p95: 2, p99, max: 2 * p99 });
const overload: OverloadResult = {
  capacity: 1_000,
  refusable: 4_000,
  offered: 3_000,
  served: 700,
  shedShare: 0.7,
  accepted: spread(600),
  shed: spread(100),
  ownDelay: spread(1),
  health: spread(20),
  failures: {},
};

test('an overload that is shed as it should be is nothing wrong', () => {
  expect(brokenByOverload(overload)).toEqual([]);
});

test.each<[what: string, but: Partial<OverloadResult>]>([
  ['late answers', { accepted: spread(1_001) }],
  ['late refusals', { shed: spread(501) }],
  ['no refusal', { shed: undefined, shedShare: 0 }],
  ['a late health check', { health: spread(501) }],
  ['no health check', { health: undefined }],
  ['hardly anything served', { served: 10 }],
  ['less than it should have been', { offered: 1_500 }],
  ['other answers', { failures: { 'poll 500': 1 } }],
])('an overload with %s is told', (_what, but) => {
  expect(brokenByOverload({ ...overload, ...but })).not.toEqual([]);
});

test('an overload is told beside what a bare server could refuse', () => {
  expect(overloadText({ ...overload, refusable: 2_900 })).toContain(
    '3 times the capacity is 3000 a second; a bare server that does nothing but refuse takes 2900',
  );
});

test('npm run test:faults can be started', async () => {
  const main = join(import.meta.dirname, 'main.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', main, '--help'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let help = '';
  child.stdout.on('data', (chunk: Buffer) => (help += chunk.toString()));
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(help).toContain('redis hangs');
}, 120_000);

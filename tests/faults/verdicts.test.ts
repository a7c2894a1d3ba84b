import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { ReceivedEvent } from '../../src/dev/event-bus/local-event-bus.js';
import { endOf, EventLog, startOf } from './event-log.js';
import type { FaultResults } from './fault-run.js';
import { FaultHistory, type Excuses, type FaultRow } from './history.js';
import { tableOf, violations } from './report.js';

const SESSION = '11111111-1111-4111-8111-111111111111';
const AT = '2026-11-25T10:00:00.000Z';
const footprint = { megabytes: 60, openFiles: 28, handles: 12 };

/** A fault during which one request was answered in time and the bus received these events. */
function aFault(received: Record<string, unknown>[], excuses: Excuses = {}) {
  let publish: (event: ReceivedEvent) => void = () => undefined;
  const bus = {
    onEvent: (listener: typeof publish) => {
      publish = listener;
      return () => undefined;
    },
  };
  const history = new FaultHistory('a fault', excuses);
  const events = new EventLog(bus, () => history.name);
  for (const detail of received) {
    const detailType = 'startTime' in detail ? 'TrainerJourneyStarted' : 'TrainerJourneyEnded';
    publish({
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

/** With an acknowledged and published start. */
function aGoodFault(excuses?: Excuses) {
  const fault = aFault([{ startTime: AT }], excuses);
  fault.history.acknowledged.push(startOf(SESSION, AT));
  return fault;
}

test('without anything wrong there is no violation', () => {
  expect(violations(aGoodFault().resultsOf())).toEqual([]);
});

test.each<[wrong: Partial<FaultRow>, verdict: string]>([
  [{ wrong: { 'live: 404': 2 } }, 'live: 404 (2×)'],
  [{ journeysLost: 1 }, '1 journeys lost'],
  [{ orphanedLocations: 1 }, '1 locations outlived their journey'],
  [{ eventsLost: 1 }, '1 events lost'],
  [{ eventsOutMs: [10, 60_000] }, 'events published only after 60000 ms'],
  [{ requests: 0 }, 'no request was sent'],
  [{ events: 0 }, 'no event was acknowledged'],
])('%j is a violation', (wrong, verdict) => {
  const results = aGoodFault().resultsOf();
  const rows = results.rows.map((row) => ({ ...row, ...wrong }));
  expect(violations({ ...results, rows })).toEqual([`a fault: ${verdict}`]);
});

test('an answer after a second, a broken connection and a late recovery are violations', () => {
  const { history, resultsOf } = aGoodFault();
  history.answered(1_001);
  history.broken('ECONNRESET', 0);
  history.refused('503', 3_100);
  expect(violations(resultsOf())).toEqual([
    'a fault: an answer after 1 s (1×)',
    'a fault: connection: ECONNRESET (1×)',
    'a fault: served again only after 2100 ms',
  ]);
});

test('an event with another id and one that no answer acknowledged are violations', () => {
  const { history, resultsOf } = aFault([
    { startTime: AT },
    { startTime: AT, eventId: 'two' },
    { startTime: '2026-11-25T10:00:01.000Z' },
  ]);
  history.acknowledged.push(startOf(SESSION, AT));
  expect(violations(resultsOf())).toEqual([
    'a fault: 1 events with two ids',
    'a fault: 1 events that no answer acknowledged',
  ]);
});

test('a repeat with the same id is counted and is no violation', () => {
  const { history, resultsOf } = aFault([{ startTime: AT }, { startTime: AT }]);
  history.acknowledged.push(startOf(SESSION, AT));
  const results = resultsOf();
  expect(results.rows[0]).toMatchObject({ events: 1, eventsLost: 0, eventsRepeated: 1 });
  expect(violations(results)).toEqual([]);
});

test('a process that is stopped for 2 s may answer within 3 s', () => {
  const { history, resultsOf } = aGoodFault({ laterByMs: 2_000 });
  history.answered(2_999);
  expect(violations(resultsOf())).toEqual([]);
  history.answered(3_001);
  expect(violations(resultsOf())).toEqual(['a fault: an answer after 3 s (1×)']);
});

test('an acknowledged event that is not published is lost, unless Redis lost its data before', () => {
  const { history, events, resultsOf } = aGoodFault({ lostData: true });
  history.acknowledged.push(endOf(SESSION, AT));
  history.forgetUnpublished(events);
  history.acknowledged.push(endOf(SESSION, '2026-11-25T10:00:05.000Z'));
  expect(violations(resultsOf())).toEqual(['a fault: 1 events lost']);
});

test.each([
  ['after', { megabytes: 90 }, 'after the faults a process has 30 MB more'],
  ['atTheEnd', { openFiles: 40 }, 'at the end a process has 12 open files more'],
  ['after', { handles: NaN }, 'after the faults a process has NaN handles more'],
])('%s, the footprint of a process is compared with before: %j', (when, more, verdict) => {
  const { resultsOf } = aGoodFault();
  expect(violations(resultsOf({ [when]: [{ ...footprint, ...more }] }))).toEqual([verdict]);
});

test('the table is Markdown with a line for each fault', () => {
  const lines = tableOf(aGoodFault().resultsOf().rows).split('\n');
  expect(lines).toHaveLength(3);
  expect(new Set(lines.map((line) => line.split('|').length)).size).toBe(1);
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

import { markdownTable } from '../support/markdown-table.js';
import type { FaultResults } from './fault-run.js';
import type { FaultRow } from './history.js';
import type { Footprint } from './processes.js';

const RECOVERED_WITHIN_MS = 2_000;
const EVENTS_OUT_WITHIN_MS = 40_000;
const MOST_GROWN: Record<keyof Footprint, { by: number; name: string }> = {
  megabytes: { by: 20, name: 'MB' },
  // A connection to Redis or Postgres may be opened at the moment.
  openFiles: { by: 4, name: 'open files' },
  handles: { by: 6, name: 'handles' },
};

/** What did not hold; empty where everything did. */
export function violations({ rows, before, after, atTheEnd }: FaultResults): string[] {
  return [
    ...rows.flatMap((row) => violationsIn(row).map((what) => `${row.fault}: ${what}`)),
    ...growth(before, after, 'after the faults'),
    ...growth(before, atTheEnd, 'at the end'),
  ];
}

function growth(before: readonly Footprint[], after: readonly Footprint[], when: string): string[] {
  const most = (footprints: readonly Footprint[], what: keyof Footprint) =>
    Math.max(...footprints.map((footprint) => footprint[what]));
  return (Object.keys(MOST_GROWN) as (keyof Footprint)[]).flatMap((what) => {
    const by = most(after, what) - most(before, what);
    // NaN, where a process has no such metric, is a violation too.
    return by <= MOST_GROWN[what].by ? [] : [`${when} a process has ${by} ${MOST_GROWN[what].name} more`];
  });
}

/** The processes without load. */
export function footprintTable({ before, after, atTheEnd }: FaultResults): string {
  const row = (when: string, footprints: readonly Footprint[]) => ({
    processes: when,
    MB: footprints.map(({ megabytes }) => megabytes).join(', '),
    'open files': footprints.map(({ openFiles }) => openFiles).join(', '),
    handles: footprints.map(({ handles }) => handles).join(', '),
  });
  return markdownTable([row('before', before), row('after the faults', after), row('at the end', atTheEnd)]);
}

function violationsIn(row: FaultRow): string[] {
  const some = (count: number, what: string) => (count === 0 ? [] : [`${count} ${what}`]);
  const within = (times: readonly number[], limitMs: number, what: string) => {
    const slowest = Math.max(0, ...times);
    return slowest <= limitMs ? [] : [`${what} only after ${Math.round(slowest)} ms`];
  };
  return [
    ...Object.entries(row.wrong).map(([what, count]) => `${what} (${count}×)`),
    ...some(row.journeysLost, 'journeys lost'),
    ...some(row.eventsLost, 'events lost'),
    ...some(row.eventsWithTwoIds, 'events with two ids'),
    ...some(row.eventsUnknown, 'events that no answer acknowledged'),
    ...some(row.orphanedLocations, 'locations outlived their journey'),
    ...within(row.recoveryMs, RECOVERED_WITHIN_MS, 'served again'),
    ...within(row.eventsOutMs, EVENTS_OUT_WITHIN_MS, 'events published'),
    ...(row.requests === 0 ? ['no request was sent'] : []),
    ...(row.events === 0 ? ['no event was acknowledged'] : []),
  ];
}

export function tableOf(rows: readonly FaultRow[]): string {
  const counts = (object: Record<string, number>) =>
    Object.entries(object)
      .map(([what, count]) => `${what}: ${count}`)
      .join(', ') || '0';
  const seconds = (...times: readonly number[]) =>
    times.length === 0 ? '' : `${(Math.max(...times) / 1_000).toFixed(2)} s`;
  return markdownTable(
    rows.map((row) => ({
      fault: row.fault,
      times: String(row.times),
      requests: String(row.requests),
      failed: counts(row.failed),
      wrong: counts(row.wrong),
      'journeys lost': String(row.journeysLost),
      events: String(row.events),
      lost: String(row.eventsLost),
      repeated: String(row.eventsRepeated),
      'slowest answer': seconds(row.slowestMs),
      'served again after': seconds(...row.recoveryMs),
      'events published after': seconds(...row.eventsOutMs),
    })),
  );
}

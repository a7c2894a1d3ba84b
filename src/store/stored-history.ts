import { z } from 'zod';
import { errorCodes } from '../contract/errors.js';
import { endReasons } from '../contract/events.js';
import { refusalReasons } from '../contract/fleet.js';
import { trainerProblems } from '../contract/requests.js';
import type { HistoryEntry, HistoryReading, JourneyHistory } from '../journeys/journey-history.js';
import { STALE_AFTER_MS } from '../journeys/journey.js';
import type { HistoryReply } from './scripts.js';

export const WATCH_MARK_TTL_SECONDS = 600;

const Optional = z.number().optional();
const Count = z.number().catch(0);

/** See scripts/includes/track_summary.lua. */
const Summary = z.object({
  startMs: z.number(),
  firstMs: Optional,
  nearbyMs: Optional,
  accepted: Count,
  sequence: z.string().optional(),
  preciseMs: Optional,
  seenMs: Optional,
  lastMs: Optional,
  nextUpdateMs: Optional,
});

const Entry = z.object({
  name: z.string(),
  at: z.number(),
  last: z.number(),
  count: Count,
  got: Count,
  over: Optional,
});
type Entry = z.output<typeof Entry>;

/** See scripts/includes/timeline.lua. Redis writes an empty list as an object. */
const Timeline = z.object({
  startMs: z.number(),
  counts: z.record(z.string(), z.number()).catch({}),
  entries: z.array(Entry).catch([]),
  endMs: Optional,
  trainerId: z.string().optional(),
  studentId: z.string().optional(),
  track: Summary.optional(),
});
type Timeline = z.output<typeof Timeline>;

const Code = z.enum(errorCodes);
const Reason = z.enum(refusalReasons);
const Problem = z.enum(trainerProblems);
const End = z.enum(endReasons);
const Role = z.enum(['trainer', 'admin']);

/** What another version wrote in another form is left out. */
export function historyReading([
  nowMs,
  summary,
  timeline,
  watchedLeftMs,
  refusedLeftMs,
]: HistoryReply): HistoryReading {
  return {
    nowMs,
    history: historyOf(parsed(Summary, summary), parsed(Timeline, timeline), nowMs),
    watchedMs: markedMs(nowMs, watchedLeftMs),
    watchRefusedMs: markedMs(nowMs, refusedLeftMs),
  };
}

function parsed<Schema extends z.ZodType>(schema: Schema, json: string | null): z.output<Schema> | undefined {
  try {
    return schema.safeParse(JSON.parse(json ?? 'null')).data;
  } catch {
    return undefined;
  }
}

/** Marks have no value: what is left of their TTL dates them. */
function markedMs(nowMs: number, leftMs: number): number | null {
  return leftMs < 0 ? null : nowMs - (WATCH_MARK_TTL_SECONDS * 1_000 - leftMs);
}

function historyOf(
  active: z.output<typeof Summary> | undefined,
  stored: Timeline | undefined,
  nowMs: number,
): JourneyHistory | null {
  const record = active ?? stored?.track;
  const startedAtMs = record?.startMs ?? stored?.startMs;
  if (startedAtMs === undefined) return null;
  // Another timeline is of an earlier journey of the session.
  const timeline = stored?.startMs === startedAtMs ? stored : undefined;
  const staleMs = record?.seenMs === undefined ? Infinity : record.seenMs + STALE_AFTER_MS;
  const staleSeen = timeline?.entries.findLast(({ name }) => name === 'staleSeen');
  return {
    startedAtMs,
    end: endOf(timeline),
    accepted: record?.accepted ?? 0,
    lastSequence: record?.sequence === undefined ? null : Number(record.sequence),
    lastUpdateMs: record?.lastMs ?? null,
    nextUpdateMs: record?.nextUpdateMs ?? null,
    lastPreciseMs: record?.preciseMs ?? null,
    refused: refusedOf(timeline?.counts ?? {}),
    reanchors: timeline?.counts['reanchored'] ?? 0,
    staleEvents: staleSeen ? { count: timeline?.counts['staleSeen'] ?? 0, lastAtMs: staleSeen.last } : null,
    entries: [
      once('started', startedAtMs),
      ...(record?.firstMs === undefined ? [] : [once('firstFix', record.firstMs)]),
      ...(record?.nearbyMs === undefined ? [] : [once('nearby', record.nearbyMs)]),
      ...(timeline?.entries ?? []).flatMap(entriesOf),
      ...(staleMs < (timeline?.endMs ?? nowMs) ? [once('stale', staleMs)] : []),
    ].sort((one, other) => one.atMs - other.atMs),
  };
}

function endOf(timeline: Timeline | undefined): JourneyHistory['end'] {
  const { endMs, trainerId, studentId } = timeline ?? {};
  const reason = End.safeParse(timeline?.entries.at(-1)?.name.split(' ')[0]).data;
  if (endMs === undefined || trainerId === undefined || studentId === undefined || reason === undefined)
    return null;
  return { trainerId, studentId, endedAtMs: endMs, reason };
}

function refusedOf(counts: Record<string, number>): JourneyHistory['refused'] {
  const refused: JourneyHistory['refused'] = {};
  for (const [name, count] of Object.entries(counts)) {
    const [kind, text] = name.split(' ');
    const code = kind === 'refused' ? Code.safeParse(text).data : undefined;
    if (code !== undefined) refused[code] = (refused[code] ?? 0) + count;
  }
  return refused;
}

function once(kind: HistoryEntry['kind'], atMs: number): HistoryEntry {
  return { kind, atMs, lastAtMs: atMs, count: 1 };
}

function entriesOf({ name, at, last, count, got, over }: Entry): HistoryEntry[] {
  const [kind = '', first, second] = name.split(' ');
  const entry = { atMs: at, lastAtMs: last, count, acceptedBefore: got, overLimit: over };
  switch (kind) {
    case 'refused':
      return [{ kind, ...entry, code: Code.safeParse(first).data, reason: Reason.safeParse(second).data }];
    case 'reanchored':
      return [{ kind, ...entry }];
    case 'recovered':
      return [once('stale', at), once(kind, last)];
    case 'problem':
      return [{ kind, ...entry, problem: Problem.safeParse(first).data }];
    case 'arrived':
    case 'cancelled':
    case 'timeout':
      return [{ ...once(kind, at), by: Role.safeParse(first).data }];
    default:
      return [];
  }
}

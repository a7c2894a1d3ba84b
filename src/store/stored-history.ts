import { z } from 'zod';
import { errorCodes } from '../contract/errors.js';
import { refusalReasons, timelineKinds } from '../contract/fleet.js';
import { trainerProblems } from '../contract/requests.js';
import { CorruptStateError } from '../journeys/errors.js';
import type { HistoryEntry, HistoryReading, JourneyHistory, Refusal } from '../journeys/journey-history.js';

export const WATCH_MARK_TTL_SECONDS = 600;

const Code = z.enum(errorCodes);
const Reason = z.enum(refusalReasons);
const Kind = z.enum(timelineKinds);
const Time = z.number().optional();

/** The reply of scripts/read_history.lua. Redis writes an empty list as an object. */
const Reply = z.object({
  nowMs: z.number(),
  track: z
    .object({
      startMs: z.number(),
      firstMs: Time,
      nearbyMs: Time,
      accepted: Time,
      sequence: z.string().optional(),
      referenceMs: Time,
      lastMs: Time,
      nextUpdateMs: Time,
    })
    .optional(),
  timeline: z.array(z.string()).catch([]),
  watchedLeftMs: z.number(),
  watchRefusedLeftMs: z.number(),
});
type Track = NonNullable<z.output<typeof Reply>['track']>;
type Fields = ReadonlyMap<string, string>;

/** See scripts/includes/timeline.lua. What another version wrote in another form is left out. @throws CorruptStateError */
export function parseHistory(key: string, json: string): HistoryReading {
  const result = Reply.safeParse(JSON.parse(json));
  if (!result.success) throw new CorruptStateError(key, result.error);
  const { nowMs, track, timeline, watchedLeftMs, watchRefusedLeftMs } = result.data;
  const fields = new Map<string, string>();
  for (let index = 0; index < timeline.length; index += 2) {
    fields.set(timeline[index] ?? '', timeline[index + 1] ?? '');
  }
  return {
    nowMs,
    history: historyOf(track, fields),
    watchedMs: markedMs(nowMs, watchedLeftMs),
    watchRefusedMs: markedMs(nowMs, watchRefusedLeftMs),
  };
}

/** Marks have no value: what is left of their TTL dates them. */
function markedMs(nowMs: number, leftMs: number): number | null {
  return leftMs < 0 ? null : nowMs - (WATCH_MARK_TTL_SECONDS * 1_000 - leftMs);
}

function historyOf(track: Track | undefined, all: Fields): JourneyHistory | null {
  const timelineStartMs = numberOf(all, 'startMs');
  const startedAtMs = track?.startMs ?? timelineStartMs;
  if (startedAtMs === null) return null;
  // Of an earlier journey of the session.
  const fields: Fields = timelineStartMs === startedAtMs ? all : new Map();
  const sequence = track?.sequence ?? fields.get('sequence');
  const [firstMs, nearbyMs] = [track?.firstMs, track?.nearbyMs];
  return {
    startedAtMs,
    end: endOf(fields),
    accepted: track?.accepted ?? numberOf(fields, 'accepted') ?? 0,
    lastSequence: sequence === undefined ? null : Number(sequence),
    lastUpdateMs: track?.lastMs ?? null,
    nextUpdateMs: track?.nextUpdateMs ?? null,
    lastPreciseMs: track?.referenceMs ?? null,
    ...countsOf(fields),
    lastRefusal: refusalOf(fields.get('refusal') ?? ''),
    entries: [
      ...entryAt('started', startedAtMs),
      ...entryAt('firstFix', firstMs ?? numberOf(fields, 'firstMs')),
      ...entryAt('nearby', nearbyMs ?? numberOf(fields, 'nearbyMs')),
      ...[...fields].filter(([name]) => /^\d+$/.test(name)).sort(byNumber).flatMap(([, text]) => entryOf(text)),
    ].sort((one, other) => one.atMs - other.atMs),
  };
}

function byNumber([one]: [string, string], [other]: [string, string]): number {
  return Number(one) - Number(other);
}

function endOf(fields: Fields): JourneyHistory['end'] {
  const [trainerId, studentId] = [fields.get('trainerId'), fields.get('studentId')];
  const endedAtMs = numberOf(fields, 'endMs');
  if (trainerId === undefined || studentId === undefined || endedAtMs === null) return null;
  return { trainerId, studentId, endedAtMs };
}

function countsOf(fields: Fields): Pick<JourneyHistory, 'refused' | 'reanchors' | 'staleEvents'> {
  const refused: JourneyHistory['refused'] = {};
  for (const [name, count] of fields) {
    const code = Code.safeParse(/^count refused (\w+)/.exec(name)?.[1]).data;
    if (code !== undefined) refused[code] = (refused[code] ?? 0) + Number(count);
  }
  return {
    refused,
    reanchors: numberOf(fields, 'count reanchored') ?? 0,
    staleEvents: numberOf(fields, 'count stale') ?? 0,
  };
}

function refusalOf(text: string): Refusal | null {
  const [, atMs, overLimit, code, reason] = /^(\d+) (-?\d+) (\w+) (\w+)$/.exec(text) ?? [];
  const [known, why] = [Code.safeParse(code).data, Reason.safeParse(reason).data];
  if (known === undefined || why === undefined) return null;
  return { code: known, reason: why, atMs: Number(atMs), overLimit: Number(overLimit) };
}

function entryAt(kind: HistoryEntry['kind'], atMs: number | null): HistoryEntry[] {
  return atMs === null ? [] : [{ kind, atMs, lastAtMs: atMs, count: 1 }];
}

function entryOf(text: string): HistoryEntry[] {
  const [, atMs, lastAtMs, count, name, first, second] =
    /^(\d+) (\d+) (\d+) (\w+)(?: (\w+))?(?: (\w+))?$/.exec(text) ?? [];
  const kind = Kind.safeParse(name).data;
  if (kind === undefined) return [];
  return [
    {
      ...{ kind, atMs: Number(atMs), lastAtMs: Number(lastAtMs), count: Number(count) },
      ...(kind === 'refused' && { code: Code.safeParse(first).data, reason: Reason.safeParse(second).data }),
      ...(kind === 'problem' && { problem: trainerProblems.find((problem) => problem === first) }),
      ...((kind === 'cancelled' || kind === 'arrived') && { by: first === 'admin' ? 'admin' : 'trainer' }),
    },
  ];
}

function numberOf(fields: Fields, name: string): number | null {
  const text = fields.get(name);
  return text === undefined ? null : Number(text);
}

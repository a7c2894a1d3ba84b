import { differences, type Call, type ExpectedAnswer, type ReceivedAnswer } from './contract/calls.js';
import { decide } from './contract/decide.js';
import type { Rules } from './contract/rules.js';
import { nothingYet, type PlatformSession, type SessionState, type Situation } from './contract/state.js';
import { withNextUpdate } from './contract/updates.js';
import type { Operation, Specification } from './linearizability.js';

/** A call to one session and its answer. Every update has an ageMs of 0, and none is implausible. */
export interface JourneyOperation extends Operation {
  client: number;
  call: Call;
  /** Null: there was no answer. */
  answer: ReceivedAnswer | null;
  /** Before and after the call, by the clock that Redis uses; milliseconds since the epoch. */
  fromMs: number;
  toMs: number;
}

export interface JourneyObjectState {
  session: SessionState;
  arrivalMs: Situation['arrivalMs'];
  /** The time of the last operation, as far as it is known. */
  atMs: number;
}

/** Between two readings of the clock in two processes. */
const CLOCKS_APART_MS = 2;

/** The model of the contract as an object for the linearizability checker: one session with a trainer of its own. */
export function journeyObject(
  session: PlatformSession,
  operations: readonly JourneyOperation[],
  rules: Rules,
): Specification<JourneyObjectState, JourneyOperation> {
  const mentionedMs = new Map(
    operations
      .filter(({ answer }) => answer === null)
      .map((operation) => [operation, momentsMentioned(operations, operation)]),
  );
  const after = (state: JourneyObjectState, operation: JourneyOperation): JourneyObjectState[] => {
    const { call, answer } = operation;
    if (answer === null) return afterUnanswered(state, operation);
    return possibleTimes(state, operation, answer, rules).flatMap((nowMs) => {
      const arrivalMs = arrivalFor(state, answer, nowMs, rules);
      const decision = decide({ session, state: state.session, arrivalMs, nowMs }, call, rules);
      const expected = withoutAge(decision.answer);
      if (differences(expected, answer).length > 0) return [];
      const { journey } = decision.state;
      const received =
        call.kind === 'update' ? withNextUpdate(journey, dataOf(answer)['nextUpdateMs']) : journey;
      const isUnknown = state.arrivalMs === 'unknown';
      return [
        stateAt(nowMs, { ...decision.state, journey: received }, isUnknown ? 'unknown' : decision.arrivalMs),
      ];
    });
  };
  /** A call without an answer took effect at a time that other answers mention, or at once, or never. */
  const afterUnanswered = (state: JourneyObjectState, operation: JourneyOperation): JourneyObjectState[] => {
    const { call, fromMs } = operation;
    if (call.kind === 'live') return [];
    const earliestMs = Math.max(fromMs, state.atMs);
    const times = new Set([
      ...(mentionedMs.get(operation) ?? []).filter((ms) => ms >= earliestMs - CLOCKS_APART_MS),
      earliestMs,
    ]);
    return [...times].flatMap((nowMs) => {
      const arrivalMs = call.kind === 'update' ? null : state.arrivalMs;
      const decision = decide({ session, state: state.session, arrivalMs, nowMs }, call, rules);
      if (decision.state === state.session || decision.answer.code !== undefined) return [];
      return [stateAt(nowMs, decision.state, call.kind === 'update' ? 'unknown' : decision.arrivalMs)];
    });
  };
  return {
    initial: { session: nothingYet, arrivalMs: null, atMs: 0 },
    after,
    keyOf: (state) => JSON.stringify(state),
  };
}

/** Without fields that no answer depends on, so that equal states have equal keys. */
function stateAt(atMs: number, session: SessionState, arrivalMs: Situation['arrivalMs']): JourneyObjectState {
  return {
    session: { ...session, metaUntilMs: null, missingUntilMs: null, staleReported: null },
    arrivalMs,
    atMs,
  };
}

/** When the operation may have taken effect: at the time in its answer, or as early as possible. */
function possibleTimes(
  state: JourneyObjectState,
  operation: JourneyOperation,
  answer: ReceivedAnswer,
  rules: Rules,
): number[] {
  const earliestMs = Math.max(operation.fromMs - CLOCKS_APART_MS, state.atMs);
  return [...momentsOf(state, operation, answer, rules), earliestMs].filter(
    (ms) => ms >= earliestMs && ms <= operation.toMs + CLOCKS_APART_MS,
  );
}

/** The field of an answer that has the time of the call. */
const timeFields: Record<Call['kind'], string> = {
  start: 'startedAt',
  arrived: 'arrivedAt',
  stop: 'stoppedAt',
  update: 'timestamp',
  live: '',
};

function momentsOf(
  { arrivalMs }: JourneyObjectState,
  { call }: JourneyOperation,
  answer: ReceivedAnswer,
  rules: Rules,
): number[] {
  if (answer.status !== 429) return timesOf(dataOf(answer)[timeFields[call.kind]]);
  return typeof arrivalMs === 'number' ? [arrivalMs - rules.updateToleranceMs - retryAfterMs(answer)] : [];
}

/** After an update without an answer any wait may be right; the next refusal says which. */
function arrivalFor(
  { arrivalMs }: JourneyObjectState,
  answer: ReceivedAnswer,
  nowMs: number,
  rules: Rules,
): Situation['arrivalMs'] {
  const isOpen = arrivalMs === 'unknown' && answer.status === 429;
  return isOpen ? nowMs + rules.updateToleranceMs + retryAfterMs(answer) : arrivalMs;
}

/** When a call without an answer may have taken effect, by the answers to all calls. */
function momentsMentioned(operations: readonly JourneyOperation[], { call }: JourneyOperation): number[] {
  const names =
    call.kind === 'start'
      ? ['startedAt']
      : call.kind === 'update'
        ? ['timestamp', 'lastUpdate']
        : ['arrivedAt', 'stoppedAt', 'endedAt'];
  const moments = operations.flatMap(({ call: other, answer }) => {
    if (answer === null) return [];
    const fields = { ...detailsOf(answer), ...dataOf(answer) };
    const isOther = call.kind === 'update' && sequenceOf(other, fields) !== call.body.sequence;
    return isOther ? [] : names.flatMap((name) => timesOf(fields[name]));
  });
  return [...new Set(moments)];
}

/** Of the position in an answer. */
function sequenceOf(call: Call, fields: Record<string, unknown>): unknown {
  if (call.kind === 'update') return call.body.sequence;
  return (fields['location'] as { sequence?: unknown } | null | undefined)?.sequence;
}

function timesOf(text: unknown): number[] {
  return typeof text === 'string' ? [Date.parse(text)] : [];
}

/** The time of a poll is not known well enough to check ages. */
function withoutAge(expected: ExpectedAnswer): ExpectedAnswer {
  const ofItsAge = ['ageMs', 'freshness', 'uncertaintyMeters'];
  const data = Object.entries(expected.data ?? {}).filter(([name]) => !ofItsAge.includes(name));
  return { ...expected, data: Object.fromEntries(data) };
}

export function dataOf({ body }: ReceivedAnswer): Record<string, unknown> {
  return (body as { data?: Record<string, unknown> } | null)?.data ?? {};
}

function detailsOf({ body }: ReceivedAnswer): Record<string, unknown> {
  return (body as { error?: { details?: Record<string, unknown> } } | null)?.error?.details ?? {};
}

function retryAfterMs(answer: ReceivedAnswer): number {
  return Number(detailsOf(answer)['retryAfterMs']);
}

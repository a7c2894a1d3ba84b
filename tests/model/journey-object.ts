import { differences, type Call, type ExpectedAnswer, type HeardAnswer } from './contract/calls.js';
import { decide } from './contract/decide.js';
import type { Rules } from './contract/rules.js';
import { nothingYet, type PlatformSession, type SessionState, type Situation } from './contract/state.js';
import { heardNextUpdate } from './contract/updates.js';
import type { Operation, Specification } from './linearizability.js';

/** A call to one session, and what became of it. All of them have an ageMs of 0, and none is implausible. */
export interface JourneyOperation extends Operation {
  client: number;
  call: Call;
  /** Null: nobody heard of it. */
  answer: HeardAnswer | null;
  /** The system's clock, which is Redis' too, around the call; milliseconds since the epoch. */
  fromMs: number;
  toMs: number;
}

export interface JourneyObjectState {
  session: SessionState;
  arrivalMs: Situation['arrivalMs'];
  /** When the last operation was, as far as that is known. */
  atMs: number;
}

/** Between the clocks of two processes of one machine. */
const CLOCKS_APART_MS = 2;

/** The model of the contract as an object for the linearizability checker: one session, whose trainer has no other. */
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
    if (answer === null) return afterUnheard(state, operation);
    return timesTold(state, operation, answer, rules).flatMap((nowMs) => {
      const arrivalMs = arrivalFor(state, answer, nowMs, rules);
      const decision = decide({ session, state: state.session, arrivalMs, nowMs }, call, rules);
      const expected = withoutAge(decision.answer);
      if (differences(expected, answer).length > 0) return [];
      const { journey } = decision.state;
      const heard =
        call.kind === 'update' ? heardNextUpdate(journey, dataOf(answer)['nextUpdateMs']) : journey;
      const isUnknown = state.arrivalMs === 'unknown';
      return [
        stateAt(nowMs, { ...decision.state, journey: heard }, isUnknown ? 'unknown' : decision.arrivalMs),
      ];
    });
  };
  /** What it may have done, at the times that later answers speak of, or else at once. */
  const afterUnheard = (state: JourneyObjectState, operation: JourneyOperation): JourneyObjectState[] => {
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

/** What no answer here depends on is left out, so that equal states look equal. */
function stateAt(atMs: number, session: SessionState, arrivalMs: Situation['arrivalMs']): JourneyObjectState {
  return {
    session: { ...session, metaUntilMs: null, missingUntilMs: null, staleTold: null },
    arrivalMs,
    atMs,
  };
}

/** The moments at which the operation can have been: those that its answer tells, or the earliest. */
function timesTold(
  state: JourneyObjectState,
  operation: JourneyOperation,
  answer: HeardAnswer,
  rules: Rules,
): number[] {
  const earliestMs = Math.max(operation.fromMs - CLOCKS_APART_MS, state.atMs);
  return [...momentsOf(state, operation, answer, rules), earliestMs].filter(
    (ms) => ms >= earliestMs && ms <= operation.toMs + CLOCKS_APART_MS,
  );
}

function momentsOf(
  { arrivalMs }: JourneyObjectState,
  { call }: JourneyOperation,
  answer: HeardAnswer,
  rules: Rules,
): number[] {
  const data = dataOf(answer);
  if (answer.status === 429) {
    return typeof arrivalMs === 'number' ? [arrivalMs - rules.updateToleranceMs - retryAfterMs(answer)] : [];
  }
  switch (call.kind) {
    case 'start':
      return timesOf(data['startedAt']);
    case 'arrived':
      return timesOf(data['arrivedAt']);
    case 'stop':
      return timesOf(data['stoppedAt']);
    case 'update':
      return timesOf(data['timestamp']);
    case 'live':
      return [];
  }
}

/** After an update that nobody heard of any wait may be right, and then it is as the answer says. */
function arrivalFor(
  { arrivalMs }: JourneyObjectState,
  answer: HeardAnswer,
  nowMs: number,
  rules: Rules,
): Situation['arrivalMs'] {
  const isOpen = arrivalMs === 'unknown' && answer.status === 429;
  return isOpen ? nowMs + rules.updateToleranceMs + retryAfterMs(answer) : arrivalMs;
}

/**
 * The moments, by what others heard, at which a call can have been that nobody heard of: those of a start or an end that
 * is not one of which somebody heard, and those of its very position.
 */
function momentsMentioned(operations: readonly JourneyOperation[], { call }: JourneyOperation): number[] {
  const answers = operations.flatMap(({ call: other, answer }) =>
    answer === null ? [] : [{ other, answer }],
  );
  const [told, ownedBy] =
    call.kind === 'start'
      ? [['startedAt'], ['start']]
      : call.kind === 'update'
        ? [['timestamp', 'lastUpdate'], []]
        : [
            ['arrivedAt', 'stoppedAt', 'endedAt'],
            ['arrived', 'stop'],
          ];
  const mentioned = answers.flatMap(({ other, answer }) => {
    const fields = { ...detailsOf(answer), ...dataOf(answer) };
    const isOfIt = call.kind !== 'update' || sequenceOf(other, fields) === call.body.sequence;
    return isOfIt ? told.flatMap((name) => timesOf(fields[name])) : [];
  });
  const owned = answers
    .filter(
      ({ other, answer }) =>
        ownedBy.includes(other.kind) && answer.headers['idempotency-replayed'] === undefined,
    )
    .flatMap(({ answer }) =>
      ['startedAt', 'arrivedAt', 'stoppedAt'].flatMap((name) => timesOf(dataOf(answer)[name])),
    );
  return [...new Set(mentioned)].filter((ms) => !owned.includes(ms));
}

/** Of the position that an answer speaks of. */
function sequenceOf(call: Call, fields: Record<string, unknown>): unknown {
  if (call.kind === 'update') return call.body.sequence;
  return (fields['location'] as { sequence?: unknown } | null | undefined)?.sequence;
}

function timesOf(text: unknown): number[] {
  return typeof text === 'string' ? [Date.parse(text)] : [];
}

/** The moment of a look is not known well enough. */
function withoutAge(expected: ExpectedAnswer): ExpectedAnswer {
  const ofItsAge = ['ageMs', 'freshness', 'uncertaintyMeters'];
  const data = Object.entries(expected.data ?? {}).filter(([name]) => !ofItsAge.includes(name));
  return { ...expected, data: Object.fromEntries(data) };
}

export function dataOf({ body }: HeardAnswer): Record<string, unknown> {
  return (body as { data?: Record<string, unknown> } | null)?.data ?? {};
}

function detailsOf({ body }: HeardAnswer): Record<string, unknown> {
  return (body as { error?: { details?: Record<string, unknown> } } | null)?.error?.details ?? {};
}

function retryAfterMs(answer: HeardAnswer): number {
  return Number(detailsOf(answer)['retryAfterMs']);
}

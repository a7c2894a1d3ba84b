import fc from 'fast-check';
import type { Caller, UpdateBody } from './contract/calls.js';
import { metersNorthOf } from './contract/geometry.js';
import { heartbeats } from './contract/rules.js';
import type { Place, PlatformSession } from './contract/state.js';
import type { History } from './history.js';

type Command = fc.AsyncCommand<History, null>;

/** How much time passes first: milliseconds, or until around the moment at which a TTL ends. */
type Wait = { ms: number } | { edge: number; aroundMs: number };
type Who = 'trainer' | 'student' | 'admin' | 'otherTrainer' | 'otherStudent';

/** What a phone sends, in part relative to the state of the model. */
interface Update {
  place: { fromHome: number } | { fromLast: number } | 'none';
  /** Above the last sequence; undefined: no sequence. */
  sequenceAhead: number | undefined;
  fields: Omit<Partial<UpdateBody>, 'sessionId' | 'sequence'>;
}

/** insists: the call is made whether or not there is a journey. */
type Action =
  | {
      kind: 'start' | 'arrived' | 'stop';
      session: number;
      who: Who;
      insists: boolean;
      key?: string | undefined;
    }
  | ({ kind: 'update'; session: number; who: Who; insists: boolean } & Update)
  | { kind: 'live'; session: number; who: Who; isConditional: boolean }
  | { kind: 'sweep' }
  | { kind: 'setStatus'; session: number; status: string };

/** Keeps every distance off the limits and off half metres, where the rounding of a sine would decide. */
const NEVER_EVEN = 1.000_013_7;
const HERE = { latitude: 12.9716, longitude: 77.5946 };

/** One step of a history. */
class Step implements Command {
  readonly #wait: Wait;
  readonly #action: Action;

  constructor(wait: Wait, action: Action) {
    this.#wait = wait;
    this.#action = action;
  }

  check(history: Readonly<History>): boolean {
    const action = this.#action;
    if (!('insists' in action) || action.insists) return true;
    return hasJourney(history, action.session) !== (action.kind === 'start');
  }

  async run(history: History): Promise<void> {
    await history.pass(waitMs(history, this.#wait));
    const action = this.#action;
    if (action.kind === 'sweep') {
      await history.sweep();
      return;
    }
    const who = 'who' in action ? action.who : 'trainer';
    const { sessionId, caller, platform } = chosen(history, action.session, who);
    switch (action.kind) {
      case 'start':
      case 'arrived':
      case 'stop':
        await history.make({ kind: action.kind, sessionId, caller, key: action.key });
        break;
      case 'update':
        await history.make({
          kind: 'update',
          sessionId,
          caller,
          body: bodyOf(history, sessionId, platform, action),
        });
        break;
      case 'live':
        await history.make({ kind: 'live', sessionId, caller }, action.isConditional);
        break;
      case 'setStatus':
        if (platform !== null) await history.setStatus(platform, action.status);
    }
  }

  /** Shown for a shrunk history. */
  toString(): string {
    return `${JSON.stringify(this.#action)} after ${JSON.stringify(this.#wait)}`;
  }
}

function bodyOf(
  history: History,
  sessionId: string,
  platform: PlatformSession | null,
  { place, sequenceAhead, fields }: Update,
): UpdateBody {
  const { journey } = history.state(sessionId);
  const lastSequence = journey?.lastNumbered?.sequence ?? 10;
  return {
    sessionId,
    ...(place !== 'none' && placeOf(place, platform?.home ?? HERE, journey?.last ?? HERE)),
    ...(sequenceAhead !== undefined && { sequence: lastSequence + sequenceAhead }),
    ...fields,
  };
}

function placeOf(place: Exclude<Update['place'], string>, home: Place, last: Place): Place {
  if ('fromHome' in place) return metersNorthOf(home, place.fromHome * NEVER_EVEN);
  return metersNorthOf(last, place.fromLast * NEVER_EVEN);
}

function hasJourney(history: Readonly<History>, index: number): boolean {
  const session = history.sessions[index];
  const journey = session && history.state(session.sessionId).journey;
  return journey !== undefined && journey !== null && journey.expiresAtMs > history.clock.now();
}

function waitMs(history: History, wait: Wait): number {
  if ('ms' in wait) return wait.ms;
  const edges = history.edgesMs().sort((one, other) => one - other);
  const edgeMs = edges[wait.edge % Math.max(1, edges.length)];
  // No two calls are at the same time.
  return edgeMs === undefined ? 1 : Math.max(1, edgeMs - history.clock.now() + wait.aroundMs);
}

function chosen(
  history: History,
  index: number,
  who: Who,
): { sessionId: string; caller: Caller; platform: PlatformSession | null } {
  const platform = history.sessions[index] ?? null;
  const { trainerId, studentId } = platform ?? sessionAt(history, 0);
  const other = sessionAt(history, index === 2 ? 0 : 2);
  const callers: Record<Who, Caller> = {
    trainer: { userId: trainerId, role: 'trainer' },
    student: { userId: studentId, role: 'student' },
    admin: history.admin,
    otherTrainer: { userId: other.trainerId, role: 'trainer' },
    otherStudent: { userId: other.studentId, role: 'student' },
  };
  return { sessionId: platform?.sessionId ?? history.unknownId, caller: callers[who], platform };
}

function sessionAt(history: History, index: number): PlatformSession {
  const session = history.sessions[index];
  if (session === undefined) throw new Error(`there is no session ${index}`);
  return session;
}

const weighted = <T>(...options: [weight: number, arbitrary: fc.Arbitrary<T>][]): fc.Arbitrary<T> =>
  fc.oneof(...options.map(([weight, arbitrary]) => ({ weight, arbitrary })));

const wait = weighted<Wait>(
  [4, fc.record({ ms: fc.integer({ min: 1, max: 900 }) })],
  [6, fc.record({ ms: fc.constantFrom(3_999, 4_000, 4_001, 4_600, 4_999, 5_000, 5_001, 5_200, 6_000) })],
  [1, fc.record({ ms: fc.constantFrom(15_000, 15_001, 30_000, 60_000, 60_001, 299_999) })],
  [1, fc.record({ edge: fc.nat({ max: 9 }), aroundMs: fc.constantFrom(-1, 0, 1, 400) })],
);

/** Index 3 is the session that does not exist. */
const session = weighted([12, fc.constantFrom(0, 0, 0, 1, 2)], [1, fc.constant(3)]);
const mostly = (usual: Who): fc.Arbitrary<Who> =>
  weighted<Who>(
    [9, fc.constant(usual)],
    [1, fc.constantFrom('trainer', 'student', 'admin', 'otherTrainer', 'otherStudent')],
  );
const insists = weighted([4, fc.constant(false)], [1, fc.constant(true)]);
const key = fc.option(fc.constantFrom('one', 'two', '~!3'), { nil: undefined });

const lifecycle = (kind: 'start' | 'arrived' | 'stop') =>
  fc.record({ kind: fc.constant(kind), session, insists, who: mostly('trainer'), key });

const placesFromHome = [0.13, 60.29, 149.61, 150.43, 330.77, 480.17, 519.71, 1_900.37, 20_000.91];
const placesFromLast = [0, 0.51, 4.97, -12.31, 70.23, -141.53, 166.11, 171.89, -225.19, 2_000.39];
const place = weighted<Update['place']>(
  [2, fc.record({ fromHome: fc.constantFrom(...placesFromHome) })],
  [3, fc.record({ fromLast: fc.constantFrom(...placesFromLast) })],
);
const optional = <Value>(values: Value[]) =>
  fc.option(fc.constantFrom(...values), { nil: undefined, freq: 2 });
const goodFields = fc.record({
  accuracy: optional([null, -1, 0, 4.5, 29.5, 30, 80, 99.9, 100, 100.1, 1_500]),
  speed: optional([null, -1, 0, 0.4, 1.2, 13.9]),
  heading: optional([null, -1, 0, 271.5, 360, 360.5]),
  ageMs: fc.option(fc.constantFrom(null, -1, 0, 1.5, 900, 4_000, 12_000, 60_001, 299_999, 300_000, 300_001), {
    nil: undefined,
    freq: 3,
  }),
});
const badFields = fc.constantFrom<Update['fields']>(
  { mocked: true },
  { latitude: 90.1 },
  { longitude: '77' },
  { accuracy: 'far' },
  { latitude: 0, longitude: 0 },
  { ageMs: '1' },
  { mocked: 'no' },
);
const sequenceAhead = weighted<number | undefined>(
  [6, fc.constantFrom(1, 1, 2, 1_000)],
  [2, fc.constantFrom(0, -1, -10)],
  [2, fc.constant(undefined)],
);
const position = fc.record({
  kind: fc.constant('update' as const),
  ...{ session, insists, who: mostly('trainer'), place, sequenceAhead },
  fields: weighted<Update['fields']>([12, goodFields], [1, badFields]),
});
const heartbeat = fc.record({
  kind: fc.constant('update' as const),
  ...{ session, insists, who: mostly('trainer'), place: fc.constant('none' as const), sequenceAhead },
  fields: weighted<Update['fields']>(
    [8, fc.constantFrom({ still: true }, { still: true, mocked: true, latitude: null })],
    [4, fc.constantFrom(...heartbeats.slice(1).map((problem) => ({ problem })))],
    [1, fc.constantFrom({ still: false }, { problem: 'tired' }, { still: true, longitude: 77 })],
  ),
});
const watch = fc.record({
  kind: fc.constant('live' as const),
  ...{ session, who: mostly('student'), isConditional: fc.boolean() },
});
const status = fc.record({
  kind: fc.constant('setStatus' as const),
  session: fc.constantFrom(0, 1, 2),
  status: fc.constantFrom('scheduled', 'pending_verification', 'scheduled', 'in_progress', 'cancelled'),
});

/** Histories of up to so many steps. */
export function histories(most: number): fc.Arbitrary<Iterable<Command>> {
  const action = weighted<Action>(
    [11, position],
    [3, heartbeat],
    [6, watch],
    [4, lifecycle('start')],
    [3, lifecycle('arrived')],
    [2, lifecycle('stop')],
    [1, fc.constant({ kind: 'sweep' })],
    [1, status],
  );
  const step = fc.tuple(wait, action).map(([before, what]) => new Step(before, what));
  return fc.commands([step], { maxCommands: most, size: 'max' });
}

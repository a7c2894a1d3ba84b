import fc from 'fast-check';
import type { Caller, UpdateBody } from './contract/calls.js';
import { metersNorthOf } from './contract/geometry.js';
import type { PlatformSession } from './contract/state.js';
import type { History } from './history.js';

type Command = fc.AsyncCommand<History, null>;

/** How much time passes first: so many milliseconds, or up to so many around the moment at which the next TTL is over. */
type Wait = { ms: number } | { edge: number; aroundMs: number };
type Who = 'trainer' | 'student' | 'admin' | 'otherTrainer' | 'otherStudent';

/** What a phone sends, in part relative to what the model knows. */
interface Update {
  session: number;
  insists: boolean;
  who: Who;
  place: { fromHome: number } | { fromLast: number };
  /** Above the last one; undefined: none. */
  sequenceAhead: number | undefined;
  fields: Omit<Partial<UpdateBody>, 'sessionId' | 'sequence'>;
}

/** No sum of ways is exactly at a limit or between two whole metres, where the rounding of a sine would decide. */
const NEVER_EVEN = 1.000_013_7;
const HERE = { latitude: 12.9716, longitude: 77.5946 };

/** One step of a history; shown as it is written here, so that a shrunk one can be read. */
abstract class Step<Parameters> implements Command {
  constructor(
    readonly wait: Wait,
    readonly parameters: Parameters,
  ) {}

  abstract check(history: Readonly<History>): boolean;

  async run(history: History): Promise<void> {
    await history.pass(waitMs(history, this.wait));
    await this.make(history);
  }

  abstract make(history: History): Promise<void>;

  toString(): string {
    return `${this.constructor.name}(${JSON.stringify(this.parameters)} after ${JSON.stringify(this.wait)})`;
  }
}

class Lifecycle extends Step<{
  kind: 'start' | 'arrived' | 'stop';
  session: number;
  insists: boolean;
  who: Who;
  key?: string | undefined;
}> {
  override check(history: Readonly<History>): boolean {
    const { kind, session, insists } = this.parameters;
    return insists || hasJourney(history, session) !== (kind === 'start');
  }

  override async make(history: History): Promise<void> {
    const { kind, session, who, key } = this.parameters;
    const { sessionId, caller } = chosen(history, session, who);
    await history.make({ kind, sessionId, caller, key });
  }
}

class SendPosition extends Step<Update> {
  override check(history: Readonly<History>): boolean {
    return this.parameters.insists || hasJourney(history, this.parameters.session);
  }

  override async make(history: History): Promise<void> {
    const { session, who, place, sequenceAhead, fields } = this.parameters;
    const { sessionId, caller, platform } = chosen(history, session, who);
    const { journey } = history.state(sessionId);
    const origin = 'fromHome' in place ? (platform?.home ?? HERE) : (journey?.last ?? HERE);
    const meters = 'fromHome' in place ? place.fromHome : place.fromLast;
    const before = journey?.lastNumbered?.sequence ?? 10;
    const body: UpdateBody = {
      sessionId,
      ...metersNorthOf(origin, meters * NEVER_EVEN),
      ...(sequenceAhead !== undefined && { sequence: before + sequenceAhead }),
      ...fields,
    };
    await history.make({ kind: 'update', sessionId, caller, body });
  }
}

class Watch extends Step<{ session: number; who: Who; isConditional: boolean }> {
  override check(): boolean {
    return true;
  }

  override async make(history: History): Promise<void> {
    const { session, who, isConditional } = this.parameters;
    const { sessionId, caller } = chosen(history, session, who);
    await history.make({ kind: 'live', sessionId, caller }, isConditional);
  }
}

class Sweep extends Step<null> {
  override check(): boolean {
    return true;
  }

  override async make(history: History): Promise<void> {
    await history.sweep();
  }
}

/** The platform moves a session on. */
class SetStatus extends Step<{ session: number; status: string }> {
  override check(): boolean {
    return true;
  }

  override async make(history: History): Promise<void> {
    const { session, status } = this.parameters;
    const { platform } = chosen(history, session, 'trainer');
    if (platform !== null) await history.setStatus(platform, status);
  }
}

/** Most calls are made where there is something to say; those that insist are made whatever is so. */
function hasJourney(history: Readonly<History>, index: number): boolean {
  const session = history.sessions[index];
  const journey = session && history.state(session.sessionId).journey;
  return journey !== undefined && journey !== null && journey.expiresAtMs > history.clock.now();
}

function waitMs(history: History, wait: Wait): number {
  if ('ms' in wait) return wait.ms;
  const edges = history.edgesMs().sort((one, other) => one - other);
  const edgeMs = edges[wait.edge % Math.max(1, edges.length)];
  // At least a millisecond, so that no two calls are at the same time.
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

const wait: fc.Arbitrary<Wait> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ ms: fc.integer({ min: 1, max: 900 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      ms: fc.constantFrom(3_999, 4_000, 4_001, 4_600, 4_999, 5_000, 5_001, 5_200, 6_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ ms: fc.constantFrom(15_000, 15_001, 30_000, 60_000, 60_001, 299_999) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ edge: fc.nat({ max: 9 }), aroundMs: fc.constantFrom(-1, 0, 1, 400) }),
  },
);

/** 3: the session that does not exist. */
const session = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(0, 0, 0, 1, 2) },
  { weight: 1, arbitrary: fc.constant(3) },
);
const mostly = (usual: Who): fc.Arbitrary<Who> =>
  fc.oneof(
    { weight: 9, arbitrary: fc.constant(usual) },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Who>('trainer', 'student', 'admin', 'otherTrainer', 'otherStudent'),
    },
  );
const insists = fc.oneof(
  { weight: 4, arbitrary: fc.constant(false) },
  { weight: 1, arbitrary: fc.constant(true) },
);
const key = fc.option(fc.constantFrom('one', 'two', '~!3'), { nil: undefined });

const lifecycle = (kind: 'start' | 'arrived' | 'stop') =>
  fc.tuple(wait, fc.record({ kind: fc.constant(kind), session, insists, who: mostly('trainer'), key }));

const place = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      fromHome: fc.constantFrom(0.13, 60.29, 149.61, 150.43, 330.77, 480.17, 519.71, 1_900.37, 20_000.91),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      fromLast: fc.constantFrom(0, 0.51, 4.97, -12.31, 70.23, -141.53, 166.11, 171.89, -225.19, 2_000.39),
    }),
  },
);
const optional = <Value>(values: Value[]) =>
  fc.option(fc.constantFrom(...values), { nil: undefined, freq: 2 });
const goodFields = fc.record({
  accuracy: optional([null, -1, 0, 4.5, 29.5, 30, 80, 99.9, 100, 100.1, 1_500]),
  speed: optional([null, -1, 0, 0.4, 1.2, 13.9]),
  heading: optional([null, -1, 0, 271.5, 360]),
  ageMs: fc.option(fc.constantFrom(0, 1, 900, 4_000, 12_000, 60_001, 299_999, 300_000, 300_001), {
    nil: undefined,
    freq: 3,
  }),
});
const badFields = fc.constantFrom<Update['fields']>(
  { mocked: true },
  { latitude: 90.1 },
  { longitude: '77' },
  { accuracy: 'far' },
  { heading: 361 },
  { ageMs: -1 },
  { ageMs: 1.5 },
  { mocked: 'no' },
);
const sequenceAhead = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(1, 1, 2, 1_000) },
  { weight: 2, arbitrary: fc.constantFrom(0, -1, -10) },
  { weight: 2, arbitrary: fc.constant(undefined) },
);
const position = fc.tuple(
  wait,
  fc.record({
    session,
    insists,
    who: mostly('trainer'),
    place,
    sequenceAhead,
    fields: fc.oneof({ weight: 12, arbitrary: goodFields }, { weight: 1, arbitrary: badFields }),
  }),
);
const watch = fc.tuple(wait, fc.record({ session, who: mostly('student'), isConditional: fc.boolean() }));
const status = fc.tuple(
  wait,
  fc.record({
    session: fc.constantFrom(0, 1, 2),
    status: fc.constantFrom('scheduled', 'pending_verification', 'scheduled', 'in_progress', 'cancelled'),
  }),
);

/** As often as their share says, of 28. */
export function histories(most: number): fc.Arbitrary<Iterable<Command>> {
  const step = fc.oneof(
    { weight: 11, arbitrary: position.map(([after, update]) => new SendPosition(after, update)) },
    { weight: 6, arbitrary: watch.map(([after, look]) => new Watch(after, look)) },
    { weight: 4, arbitrary: lifecycle('start').map(([after, call]) => new Lifecycle(after, call)) },
    { weight: 3, arbitrary: lifecycle('arrived').map(([after, call]) => new Lifecycle(after, call)) },
    { weight: 2, arbitrary: lifecycle('stop').map(([after, call]) => new Lifecycle(after, call)) },
    { weight: 1, arbitrary: wait.map((after) => new Sweep(after, null)) },
    { weight: 1, arbitrary: status.map(([after, change]) => new SetStatus(after, change)) },
  );
  return fc.commands([step], { maxCommands: most, size: 'max' });
}

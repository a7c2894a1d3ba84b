import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { differences, type Call, type Caller, type HeardAnswer } from './contract/calls.js';
import { decide } from './contract/decide.js';
import { aged, type Decision } from './contract/decision.js';
import { expectedKeys } from './contract/expected-keys.js';
import { sweep } from './contract/lifecycle.js';
import { KNOWN_SESSION_MS, ordinaryRules, repeatsKeptMs } from './contract/rules.js';
import {
  nothingYet,
  type PlatformSession,
  type SessionState,
  type Situation,
  type ToldEvent,
} from './contract/state.js';
import { heardNextUpdate } from './contract/updates.js';
import { Divergence } from './divergence.js';
import { eventDifferences } from './events.js';
import type { ModelClock, RealJourneys } from './real-journeys.js';
import type { Found, WantedKey } from './redis-under-model.js';

const HOME = { latitude: 12.9716, longitude: 77.5946, address: '12 Church Street' };
const rules = ordinaryRules;
/** Longer than it takes to look at Redis. */
const A_LOOK_MS = 2_000;
/** As long as a sweep that has begun is under way to Redis. */
const A_SWEEP_MS = 3;
const IDEMPOTENCY = 'journey:idempotency:';

/** Some trainers and students from their first call on: what the model says of them, beside the real service. */
export class History {
  readonly #real: RealJourneys;
  readonly sessions: readonly PlatformSession[];
  /** Of a session that does not exist. */
  readonly unknownId = randomUUID();
  readonly admin: Caller = { userId: randomUUID(), role: 'admin' };
  readonly #states = new Map<string, SessionState>();
  readonly #arrivalsMs = new Map<string, Situation['arrivalMs']>();
  readonly #events = new Map<string, ToldEvent[]>();
  /** The last ETag that anybody heard of a session, and the state that it was of. */
  readonly #etags = new Map<string, { etag: string; version: string }>();
  /** The names of the records of first answers. */
  readonly #records = new Map<string, string>();

  private constructor(real: RealJourneys) {
    this.#real = real;
    const [one, other] = [randomUUID(), randomUUID()];
    const session = (trainerId: string, home: PlatformSession['home']): PlatformSession => ({
      ...{ sessionId: randomUUID(), studentId: randomUUID(), status: 'scheduled', trainerId, home },
    });
    // Two of one trainer, who has one rate for both; one without a home.
    this.sessions = [session(one, HOME), session(one, null), session(other, HOME)];
  }

  static async begin(real: RealJourneys): Promise<History> {
    const history = new History(real);
    await real.service.addSessions(history.sessions);
    return history;
  }

  get clock(): ModelClock {
    return this.#real.clock;
  }

  session(sessionId: string): PlatformSession | null {
    return this.sessions.find((session) => session.sessionId === sessionId) ?? null;
  }

  state(sessionId: string): SessionState {
    return this.#states.get(sessionId) ?? nothingYet;
  }

  /** The moments at which time alone will change something. */
  edgesMs(): number[] {
    const limits = this.sessions.flatMap(({ sessionId }) => this.state(sessionId).journey?.expiresAtMs ?? []);
    const nowMs = this.clock.now();
    // Not a day ahead: journeys are looked through once a second.
    return [...this.#wantedKeys().map(({ untilMs }) => untilMs), ...limits].filter(
      (ms) => ms > nowMs && ms <= nowMs + repeatsKeptMs(rules),
    );
  }

  async pass(ms: number): Promise<void> {
    const keys = this.#wantedKeys();
    const mayBeSwept = this.sessions.some(({ sessionId }) => {
      const { journey } = this.state(sessionId);
      return journey !== null && journey.expiresAtMs <= this.clock.now();
    });
    this.clock.advance(ms);
    // A sweep of the service's own would now leave a mark that expires before anybody can look at it.
    if (this.sessions.some(({ sessionId }) => this.#isAlmostForgotten(sessionId)))
      this.clock.advance(A_LOOK_MS);
    await this.#real.redis.moveClock(keys, this.clock.now());
    if (mayBeSwept) {
      // One that was under way went by the time before, and so did what it left.
      await pause(A_SWEEP_MS);
      await this.#noticeSweeps(await this.#real.redis.look());
    }
    for (const [sessionId, state] of this.#states) this.#states.set(sessionId, aged(state, this.clock.now()));
  }

  /** isConditional: with the last ETag that was heard. */
  async make(call: Call, isConditional = false): Promise<void> {
    const etag = isConditional ? this.#etags.get(call.sessionId) : undefined;
    const made = call.kind === 'live' ? { ...call, knows: etag?.version } : call;
    const decision = decide(this.#situation(call), made, rules);
    const headers = {
      ...('key' in call && call.key !== undefined && { 'idempotency-key': call.key }),
      ...(etag !== undefined && { 'if-none-match': etag.etag }),
    };
    const heard = await this.#real.ask(call, headers);
    this.#real.count(outcomeOf(made, decision));
    const wrong = differences(decision.answer, heard);
    if (wrong.length > 0) throw new Divergence(`${JSON.stringify(made)}\n  ${wrong.join('\n  ')}`);
    this.#follow(call, decision, heard);
    await this.check(decision.events.some(({ detailType }) => detailType === 'TrainerLocationStale'));
  }

  async setStatus(session: PlatformSession, status: string): Promise<void> {
    session.status = status;
    await this.#real.service.setStatus(session.sessionId, status);
  }

  /** The service looks for journeys whose limit has passed. */
  async sweep(): Promise<void> {
    // Where it just did, by the time before the clock was moved, that is seen first.
    await this.check();
    await this.#real.sweep();
    for (const session of this.sessions) this.#sweep(session);
    await this.check();
  }

  /** Every key of Redis. isLate: the service may still be writing what no caller waits for. */
  async check(isLate = false): Promise<void> {
    for (let tries = isLate ? 20 : 0; ; tries--) {
      const found = this.#own(await this.#real.redis.look());
      if (await this.#noticeSweeps(found)) continue;
      this.#noticeRecords(found);
      const wrong = [
        ...this.#real.redis.differences(this.#wantedKeys(), found, this.clock.now()),
        ...this.#deadlineDifferences(found),
      ];
      if (wrong.length === 0) {
        this.#real.redis.accept(found);
        return;
      }
      if (tries <= 0) throw new Divergence(`in Redis:\n  ${wrong.join('\n  ')}`);
    }
  }

  /** At the end: what is overdue ends first, so that the service does not end it meanwhile. */
  async checkEvents(): Promise<void> {
    await this.sweep();
    await this.#real.untilPublished();
    const wrong = this.sessions.flatMap(({ sessionId }) =>
      eventDifferences(this.#events.get(sessionId) ?? [], this.#real.service.eventsOf(sessionId)),
    );
    if (wrong.length > 0) throw new Divergence(`on the bus:\n  ${wrong.join('\n  ')}`);
  }

  async end(): Promise<void> {
    await this.#real.redis.removeAll(await this.#real.redis.look());
    await this.#real.untilPublished();
    await this.#real.service.removeSessions(this.sessions);
  }

  /** Without what a call that another history did not wait for has left late. */
  #own(found: Found): Found {
    const ids = [
      this.unknownId,
      ...this.sessions.flatMap(({ sessionId, trainerId }) => [sessionId, trainerId]),
    ];
    const keys = [...found.keys].filter(([name]) => ids.some((id) => name.includes(id)));
    return { ...found, keys: new Map(keys) };
  }

  #isAlmostForgotten(sessionId: string): boolean {
    const limitMs = this.state(sessionId).journey?.expiresAtMs ?? Infinity;
    const leftMs = limitMs + rules.endedTtlMs - this.clock.now();
    return leftMs > 0 && leftMs <= A_LOOK_MS;
  }

  #situation({ sessionId }: Call): Situation {
    const session = this.session(sessionId);
    const arrivalMs = session === null ? null : (this.#arrivalsMs.get(session.trainerId) ?? null);
    return { session, state: this.state(sessionId), arrivalMs, nowMs: this.clock.now() };
  }

  #follow(call: Call, decision: Decision, heard: HeardAnswer): void {
    const { sessionId, kind } = call;
    const data = (heard.body as { data?: Record<string, unknown> } | null)?.data;
    const journey =
      kind === 'update'
        ? heardNextUpdate(decision.state.journey, data?.['nextUpdateMs'])
        : decision.state.journey;
    this.#states.set(sessionId, { ...decision.state, journey });
    // The slot is the caller's, who by then is the journey's trainer.
    const session = this.session(sessionId);
    if (session !== null) this.#arrivalsMs.set(session.trainerId, decision.arrivalMs);
    this.#tell(sessionId, decision.events);
    if (decision.version !== undefined && typeof heard.headers['etag'] === 'string') {
      this.#etags.set(sessionId, { etag: heard.headers['etag'], version: decision.version });
    }
  }

  #tell(sessionId: string, events: readonly ToldEvent[]): void {
    this.#events.set(sessionId, [...(this.#events.get(sessionId) ?? []), ...events]);
  }

  #sweep(session: PlatformSession): boolean {
    const { state, events } = sweep(session, this.state(session.sessionId), this.clock.now(), rules);
    this.#states.set(session.sessionId, state);
    this.#tell(session.sessionId, events);
    return events.length > 0;
  }

  /** The service looks for overdue journeys whenever it likes: where it has, the model has too. */
  async #noticeSweeps({ deadlines, keys }: Found): Promise<boolean> {
    const swept = this.sessions
      .filter(({ sessionId }) => !deadlines.has(sessionId))
      .map((session) => ({ session, before: this.state(session.sessionId) }))
      .filter(({ session }) => this.#sweep(session))
      .map(({ session, before }) => {
        const { sessionId } = session;
        // Or it was before the call of this moment, which then remembered what Postgres said.
        const isLater = before.metaUntilMs !== null && keys.has(`session:meta:${sessionId}`);
        const metaUntilMs = isLater ? this.clock.now() + KNOWN_SESSION_MS : null;
        this.#states.set(sessionId, { ...this.state(sessionId), metaUntilMs });
        return { session, limitMs: before.journey?.expiresAtMs ?? 0 };
      });
    // It may have been while the clock was being moved: then the time that the mark has left is of the moment before.
    const marks = swept.map(({ session, limitMs }) => ({
      name: `journey:ended:${session.sessionId}`,
      untilMs: limitMs + rules.endedTtlMs,
    }));
    if (marks.length > 0) await this.#real.redis.settle(marks, this.clock.now());
    return marks.length > 0;
  }

  /** How the record of a first answer is called is the service's own affair; of one call there is one. */
  #noticeRecords({ keys }: Found): void {
    const known = new Set(this.#records.values());
    const fresh = [...keys.keys()].filter((name) => name.startsWith(IDEMPOTENCY) && !known.has(name));
    const unnamed = this.#firstAnswers().filter(({ id }) => !this.#records.has(id));
    for (const { id, sessionId } of unnamed) {
      const name = fresh.find((candidate) => candidate.startsWith(`${IDEMPOTENCY}${sessionId}:`));
      if (name !== undefined) this.#records.set(id, name);
    }
  }

  #firstAnswers(): { id: string; sessionId: string; untilMs: number }[] {
    return [...this.#states].flatMap(([sessionId, { firstAnswers }]) =>
      Object.entries(firstAnswers).map(([repeat, { untilMs }]) => ({
        id: `${sessionId} ${repeat}`,
        sessionId,
        untilMs,
      })),
    );
  }

  #wantedKeys(): WantedKey[] {
    const nowMs = this.clock.now();
    const rates = [...this.#arrivalsMs].flatMap(([trainerId, arrivalMs]): WantedKey[] =>
      typeof arrivalMs === 'number' && arrivalMs > nowMs
        ? [{ name: `location:rate:${trainerId}`, untilMs: arrivalMs }]
        : [],
    );
    const records = this.#firstAnswers().map(({ id, untilMs }) => ({
      name: this.#records.get(id) ?? id,
      untilMs,
    }));
    const { missingUntilMs } = this.state(this.unknownId);
    const missing =
      missingUntilMs === null ? [] : [{ name: `session:missing:${this.unknownId}`, untilMs: missingUntilMs }];
    const own = this.sessions.flatMap((session) =>
      expectedKeys(session, this.state(session.sessionId), nowMs, rules),
    );
    return [...rates, ...records, ...missing, ...own];
  }

  #deadlineDifferences({ deadlines }: Found): string[] {
    return this.sessions.flatMap(({ sessionId }) => {
      const wanted = this.state(sessionId).journey?.expiresAtMs;
      const found = deadlines.get(sessionId);
      return wanted === found ? [] : [`the deadline of ${sessionId} is ${found}, and should be ${wanted}`];
    });
  }
}

/** For the table of what was seen. */
function outcomeOf({ kind }: Call, { answer }: Decision): string {
  const isDuplicate = kind === 'update' && typeof answer.data?.['nextUpdateMs'] === 'number';
  const isAgain = isDuplicate || answer.headers?.['idempotency-replayed'] === 'true';
  return `${kind} ${answer.status} ${answer.code ?? (isAgain ? 'again' : '')}`.trim();
}

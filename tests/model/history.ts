import { randomUUID } from 'node:crypto';
import { differences, type Call, type Caller, type ReceivedAnswer } from './contract/calls.js';
import { decide } from './contract/decide.js';
import { aged, type Decision } from './contract/decision.js';
import { expectedKeys, type ExpectedKey } from './contract/expected-keys.js';
import { sweep } from './contract/lifecycle.js';
import { ordinaryRules, idempotencyTtlMs } from './contract/rules.js';
import {
  nothingYet,
  type PlatformSession,
  type SessionState,
  type Situation,
  type ModelEvent,
} from './contract/state.js';
import { withNextUpdate } from './contract/updates.js';
import { Divergence } from './divergence.js';
import { eventDifferences } from './events.js';
import type { ModelClock, RealJourneys } from './real-journeys.js';
import type { Found } from './redis-under-model.js';

const HOME = { latitude: 12.9716, longitude: 77.5946, address: '12 Church Street' };
const rules = ordinaryRules;
/** Longer than it takes to read all keys. */
const READ_MS = 2_000;
const IDEMPOTENCY = 'journey:idempotency:';

/** Trainers and students of one random history: the state of the model beside the real service. */
export class History {
  readonly #real: RealJourneys;
  readonly sessions: readonly PlatformSession[];
  /** The id of a session that does not exist. */
  readonly unknownId = randomUUID();
  readonly admin: Caller = { userId: randomUUID(), role: 'admin' };
  readonly #states = new Map<string, SessionState>();
  readonly #arrivalsMs = new Map<string, Situation['arrivalMs']>();
  readonly #events = new Map<string, ModelEvent[]>();
  /** The last ETag of each session, and the model's name of the state. */
  readonly #etags = new Map<string, { etag: string; version: string }>();
  /** The keys of idempotency records. */
  readonly #records = new Map<string, string>();

  private constructor(real: RealJourneys) {
    this.#real = real;
    const [one, other] = [randomUUID(), randomUUID()];
    const session = (trainerId: string, home: PlatformSession['home']): PlatformSession => ({
      ...{ sessionId: randomUUID(), studentId: randomUUID(), status: 'scheduled', trainerId, home },
    });
    // Two of one trainer, who has one rate limit for both; one without a home.
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

  /** When keys expire and journeys reach their limit. */
  edgesMs(): number[] {
    const limits = this.sessions.flatMap(({ sessionId }) => this.state(sessionId).journey?.expiresAtMs ?? []);
    const nowMs = this.clock.now();
    return [...this.#wantedKeys().map(({ untilMs }) => untilMs), ...limits].filter(
      (ms) => ms > nowMs && ms <= nowMs + idempotencyTtlMs(rules),
    );
  }

  async pass(ms: number): Promise<void> {
    const keys = this.#wantedKeys();
    this.clock.advance(ms);
    // The ended mark of an overdue journey must not expire before it is read.
    if (this.sessions.some(({ sessionId }) => this.#isAlmostForgotten(sessionId)))
      this.clock.advance(READ_MS);
    await this.#real.redis.moveClock(keys, this.clock.now());
    for (const [sessionId, state] of this.#states) this.#states.set(sessionId, aged(state, this.clock.now()));
  }

  /** isConditional: with the last ETag. */
  async make(call: Call, isConditional = false): Promise<void> {
    const etag = isConditional ? this.#etags.get(call.sessionId) : undefined;
    const made = call.kind === 'live' ? { ...call, knows: etag?.version } : call;
    const decision = decide(this.#situation(call), made, rules);
    const headers = {
      ...('key' in call && call.key !== undefined && { 'idempotency-key': call.key }),
      ...(etag !== undefined && { 'if-none-match': etag.etag }),
    };
    const received = await this.#real.ask(call, headers);
    const wrong = differences(decision.answer, received);
    if (wrong.length > 0) throw new Divergence(`${JSON.stringify(made)}\n  ${wrong.join('\n  ')}`);
    this.#follow(call, decision, received);
    await this.check(decision.events.some(({ detailType }) => detailType === 'TrainerLocationStale'));
  }

  async setStatus(session: PlatformSession, status: string): Promise<void> {
    session.status = status;
    await this.#real.service.setStatus(session.sessionId, status);
  }

  /** The service ends journeys that are past their limit. */
  async sweep(): Promise<void> {
    await this.#real.service.sweep();
    for (const session of this.sessions) {
      const { state, events } = sweep(session, this.state(session.sessionId), this.clock.now(), rules);
      this.#states.set(session.sessionId, state);
      this.#expect(session.sessionId, events);
    }
    await this.check();
  }

  /** Compares every key of Redis. isLate: the service may still write what no caller waits for. */
  async check(isLate = false): Promise<void> {
    for (let tries = isLate ? 20 : 0; ; tries--) {
      const found = this.#own(await this.#real.redis.read());
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

  async checkEvents(): Promise<void> {
    await this.sweep();
    await this.#real.untilPublished();
    const wrong = this.sessions.flatMap(({ sessionId }) =>
      eventDifferences(this.#events.get(sessionId) ?? [], this.#real.service.eventsOf(sessionId)),
    );
    if (wrong.length > 0) throw new Divergence(`on the bus:\n  ${wrong.join('\n  ')}`);
  }

  async end(): Promise<void> {
    await this.#real.redis.removeAll(await this.#real.redis.read());
    await this.#real.untilPublished();
    await this.#real.service.removeSessions(this.sessions);
  }

  /** Without the late writes of another history. */
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
    return leftMs > 0 && leftMs <= READ_MS;
  }

  #situation({ sessionId }: Call): Situation {
    const session = this.session(sessionId);
    const arrivalMs = session === null ? null : (this.#arrivalsMs.get(session.trainerId) ?? null);
    return { session, state: this.state(sessionId), arrivalMs, nowMs: this.clock.now() };
  }

  #follow(call: Call, decision: Decision, received: ReceivedAnswer): void {
    const { sessionId, kind } = call;
    const data = (received.body as { data?: Record<string, unknown> } | null)?.data;
    const journey =
      kind === 'update'
        ? withNextUpdate(decision.state.journey, data?.['nextUpdateMs'])
        : decision.state.journey;
    this.#states.set(sessionId, { ...decision.state, journey });
    const session = this.session(sessionId);
    if (session !== null) this.#arrivalsMs.set(session.trainerId, decision.arrivalMs);
    this.#expect(sessionId, decision.events);
    if (decision.version !== undefined && typeof received.headers['etag'] === 'string') {
      this.#etags.set(sessionId, { etag: received.headers['etag'], version: decision.version });
    }
  }

  #expect(sessionId: string, events: readonly ModelEvent[]): void {
    this.#events.set(sessionId, [...(this.#events.get(sessionId) ?? []), ...events]);
  }

  /** The names of idempotency records are not in the contract; there is one for each first answer. */
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

  #wantedKeys(): ExpectedKey[] {
    const nowMs = this.clock.now();
    const rates = [...this.#arrivalsMs].flatMap(([trainerId, arrivalMs]): ExpectedKey[] =>
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

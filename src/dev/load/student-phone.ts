import type { LiveData, Reading } from './answers.js';
import type { ClockOffset } from './clock-offset.js';
import { livePath, mostUnanswered, retryMs, shortestPauseMs, type PhoneDependencies } from './phone.js';
import type { LoadSession } from './sessions.js';
import { Timer } from './timer-wheel.js';
import type { TrainerPhone } from './trainer-phone.js';

export interface StudentDependencies extends PhoneDependencies {
  clockOffset: ClockOffset;
  /** By requests that wait for news, or at the pace that the service asks for. */
  watch: 'poll' | 'wait';
}

/** One question under way. */
interface Asked {
  dueMs: number;
  waits: boolean;
  /** None of the phone's earlier ones was under way. */
  isAlone: boolean;
  /** The service had confirmed the end by then. */
  mustKnowTheEnd: boolean;
}

const waitSeconds = 25;
/** Until the service has said its own. */
const firstPollMs = 4_000;

/** The student's app: shows where the trainer is, until it hears of the end. */
export class StudentPhone {
  readonly #session: LoadSession;
  readonly #trainer: TrainerPhone;
  readonly #with: StudentDependencies;
  readonly #finished: () => void;
  readonly #timer = new Timer((dueMs) => {
    this.#ask(dueMs);
  });
  readonly #path: string;
  readonly #authorization: string;
  #etag: string | undefined;
  #nextPollMs = firstPollMs;
  #seenSequence = -1;
  #unanswered = 0;
  #askedMs = 0;
  #isOver = false;

  constructor(
    session: LoadSession,
    trainer: TrainerPhone,
    dependencies: StudentDependencies,
    finished: () => void,
  ) {
    this.#session = session;
    this.#trainer = trainer;
    this.#with = dependencies;
    this.#finished = finished;
    this.#path = livePath(session.sessionId);
    this.#authorization = `Bearer ${session.studentToken}`;
  }

  /** Opens the app some time in the first interval. */
  open(): void {
    this.#with.wheel.schedule(this.#timer, performance.now() + this.#with.random() * this.#nextPollMs);
  }

  #ask(dueMs: number): void {
    const waits = this.#with.watch === 'wait' && this.#etag !== undefined;
    // The next poll leaves on schedule, whatever becomes of this one; a wait ends with its answer.
    if (!waits) this.#with.wheel.schedule(this.#timer, dueMs + this.#nextPollMs);
    if (this.#unanswered >= mostUnanswered) {
      this.#with.calls.notSent('poll', dueMs);
      return;
    }
    const isAlone = this.#unanswered === 0;
    this.#askedMs = dueMs;
    this.#unanswered += 1;
    const headers = ['authorization', this.#authorization];
    if (this.#etag !== undefined) headers.push('if-none-match', this.#etag);
    if (waits) headers.push('prefer', `wait=${waitSeconds}`);
    const asked: Asked = { dueMs, waits, isAlone, mustKnowTheEnd: this.#trainer.isOver };
    this.#with.calls.make(
      {
        kind: 'live',
        sessionId: this.#session.sessionId,
        dueMs,
        request: { method: 'GET', path: this.#path, headers, body: null },
        ...(waits ? { heldMs: waitSeconds * 1_000 } : {}),
      },
      (reading) => {
        this.#unanswered -= 1;
        if (!this.#isOver) this.#heed(reading, asked);
      },
    );
  }

  #heed(reading: Reading<'live'>, asked: Asked): void {
    if (reading.kind === 'done') {
      this.#etag = reading.etag;
      this.#nextPollMs = Math.max(shortestPauseMs, reading.data.nextPollMs);
      if (reading.data.isActive) this.#look(reading.data, asked);
      else this.#end(this.#trainer.isEnding ? undefined : 'a journey that goes on is shown as ended');
    }
    const saysItGoesOn = reading.kind === 'done' || reading.kind === 'unchanged';
    if (saysItGoesOn && asked.mustKnowTheEnd) this.#end('a journey that has ended is shown as active');
    if (!this.#isOver) this.#scheduleNext(reading, asked);
  }

  #scheduleNext(reading: Reading<'live'>, { dueMs, waits }: Asked): void {
    const { wheel, watch } = this.#with;
    if (reading.kind === 'refused' && reading.retryAfterMs !== undefined) {
      wheel.schedule(this.#timer, performance.now() + reading.retryAfterMs);
    } else if (reading.kind === 'done' || reading.kind === 'unchanged') {
      if (reading.kind === 'unchanged' && reading.nextPollMs !== undefined) {
        this.#nextPollMs = Math.max(shortestPauseMs, reading.nextPollMs);
      }
      // A later poll has been sent already, and its answer says when the next one is due.
      if (dueMs !== this.#askedMs) return;
      // Once it knows a state it waits for the next; a service that has not waited does not offer it.
      const isFirst = reading.kind === 'done' && !waits;
      const asksAtOnce = watch === 'wait' && (reading.hasWaited || isFirst);
      wheel.schedule(this.#timer, dueMs + (asksAtOnce ? shortestPauseMs : this.#nextPollMs));
    } else if (waits) {
      wheel.schedule(this.#timer, performance.now() + retryMs);
    }
  }

  /** What the student sees, and how old it is. */
  #look({ location, ...live }: LiveData, asked: Asked): void {
    const nowMs = performance.now();
    const stretch = this.#with.recorder.stretchAt(nowMs);
    const sequence = location?.sequence;
    if (sequence !== undefined && location && sequence > this.#seenSequence) {
      this.#seenSequence = sequence;
      stretch.ageFromAcceptance.add(this.#with.clockOffset.since(location.timestamp));
      const fixTimeMs = this.#trainer.fixTimeMs(sequence);
      if (fixTimeMs !== undefined) stretch.ageFromFix.add(nowMs - fixTimeMs);
    } else if (sequence !== undefined && sequence < this.#seenSequence) {
      // Of two polls under way at once, the server may have answered either first.
      if (asked.isAlone && asked.dueMs === this.#askedMs) {
        this.#with.recorder.wrong('live: an older position is shown after a newer one');
      }
    }
    const { arrivesMs } = this.#trainer;
    if (arrivesMs !== undefined) stretch.compareEta(live, Math.max(0, arrivesMs - nowMs) / 1_000);
  }

  #end(wrong: string | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (wrong !== undefined) this.#with.recorder.wrong(`live: ${wrong}`);
    this.#with.wheel.cancel(this.#timer);
    this.#finished();
  }
}

import type { PositionRecorded } from './contract.js';
import { FixAges } from './fix-ages.js';
import { JourneyApiError, verdictOf } from './journey-api-error.js';
import { DEADLINE_MS, type JourneyApi } from './journey-api.js';
import { nextTry, type NextTry } from './next-try.js';
import { readingOf, type PhonePosition, type Reading } from './position.js';

/** What became of a pushed position. superseded: a newer one took its place. */
export type PushOutcome = 'sent' | 'dropped' | 'superseded';

/** The outcome of a request. inMs: the position, or a newer one, is sent again in that many milliseconds. */
export type Sent =
  | { recorded: PositionRecorded; sequence: number }
  | { recorded?: undefined; position: PhonePosition; error: JourneyApiError; inMs?: number };

interface Pushed {
  position: PhonePosition;
  reading: Reading;
  outcome: Promise<PushOutcome>;
  settle: (outcome: PushOutcome) => void;
}

interface Fix extends Pushed {
  /** When it was measured, by the monotonic clock. */
  fixAtMs: number;
  /** Assigned at the first try, so that the service recognises a repeat. */
  sequence?: number;
  isRepaired?: boolean;
}

interface Request {
  fix: Fix;
  sequence: number;
  startedAtMs: number;
  controller: AbortController;
}

/** The service refuses older ones. */
const OLDEST_FIX_MS = 300_000;
/** For the error of two estimated times. */
const SAME_TIME_MS = 500;
/** A request that is older has no deadline, because the phone's timers are suspended. */
const HUNG_AFTER_MS = DEADLINE_MS + 1_000;

/** Posts the newest position at the cadence that the service asks for, one request at a time. */
export class PositionSender {
  readonly #api: JourneyApi;
  readonly #sessionId: string;
  readonly #onSent: (sent: Sent) => void;
  readonly #next: NextTry;
  readonly #ages: FixAges;
  #isOpen = false;
  /** The newest one of this turn of the event loop. */
  #pushed: Pushed | undefined;
  #waiting: Fix | undefined;
  #request: Request | undefined;
  #newest: Fix | undefined;
  #sequence = 1;
  /** Until the service says it. */
  #intervalMs = 5_000;

  constructor(api: JourneyApi, sessionId: string, onSent: (sent: Sent) => void) {
    this.#api = api;
    this.#sessionId = sessionId;
    this.#onSent = onSent;
    this.#next = nextTry(api);
    this.#ages = new FixAges(api.clock);
  }

  /** All positions of one turn are a batch, of which the newest counts. */
  offer(position: PhonePosition): Promise<PushOutcome> {
    let pushed: Pushed;
    try {
      pushed = pending(position, readingOf(position));
    } catch (error) {
      this.#onSent({ position, error: error as JourneyApiError });
      return Promise.resolve('dropped');
    }
    const other = this.#pushed;
    if (other && Number(position.timestamp) < Number(other.position.timestamp)) {
      pushed.settle('superseded');
      return pushed.outcome;
    }
    other?.settle('superseded');
    this.#pushed = pushed;
    // Without a timer, because a phone suspends them in the background.
    if (!other) {
      void Promise.resolve().then(() => {
        this.#decide();
      });
    }
    return pushed.outcome;
  }

  /** lastSequence: of a joined journey; null: none yet, undefined: unknown. */
  begin(lastSequence: number | null | undefined): void {
    this.#isOpen = true;
    // The refusal of the lowest sequence says what the last one was.
    this.#sequence = lastSequence === undefined ? 0 : (lastSequence ?? 0) + 1;
    this.#send();
  }

  /** Resolves when the newest position so far, or a newer one, was answered. */
  readonly drained = async (): Promise<void> => {
    // The positions of this turn are decided first.
    await Promise.resolve();
    while (this.#isOpen && (await this.#newest?.outcome) === 'superseded');
  };

  /** Stops sending and drops the waiting position. */
  close(): void {
    this.#isOpen = false;
    this.#pushed?.settle('dropped');
    this.#waiting?.settle('dropped');
    this.#pushed = this.#waiting = undefined;
    this.#next.whenDue(undefined);
  }

  /** Closes and reports nothing any more. */
  abort(): void {
    this.close();
    this.#cancel('dropped');
  }

  backOnline(): void {
    this.#next.backOnline();
  }

  #decide(): void {
    const pushed = this.#pushed;
    if (pushed === undefined) return;
    this.#pushed = undefined;
    const { position } = pushed;
    const ageMs = this.#ages.ageMs(position.timestamp);
    const fixAtMs = this.#api.clock.nowMs() - ageMs;
    if (ageMs > OLDEST_FIX_MS) {
      const message = `the position is ${Math.round(ageMs / 1_000)} s old`;
      pushed.settle('dropped');
      this.#onSent({ position, error: new JourneyApiError(0, 'LOCATION_STALE', message) });
    } else if (this.#newest && fixAtMs < this.#newest.fixAtMs - SAME_TIME_MS) {
      pushed.settle('superseded');
    } else {
      this.#waiting?.settle('superseded');
      this.#waiting = this.#newest = { ...pushed, fixAtMs };
    }
    this.#replaceHungRequest();
    this.#send();
  }

  #replaceHungRequest(): void {
    const request = this.#request;
    if (!request || this.#api.clock.nowMs() - request.startedAtMs < HUNG_AFTER_MS) return;
    this.#waiting ??= request.fix;
    this.#cancel(this.#waiting === request.fix ? undefined : 'superseded');
    // The deadline was pause enough.
    this.#next.answered(0);
    const error = new JourneyApiError(0, 'DEADLINE_EXCEEDED', `no answer in ${DEADLINE_MS} ms`);
    this.#onSent({ position: request.fix.position, error, inMs: 0 });
  }

  #cancel(outcome: PushOutcome | undefined): void {
    const request = this.#request;
    this.#request = undefined;
    request?.controller.abort();
    if (outcome) request?.fix.settle(outcome);
  }

  #send(): void {
    const fix = this.#waiting;
    if (fix === undefined || this.#request || !this.#isOpen) return;
    // Checked at each push, because a phone's timers are suspended in the background.
    if (this.#next.inMs() > 0) {
      this.#next.whenDue(() => {
        this.#send();
      });
      return;
    }
    this.#next.whenDue(undefined);
    this.#waiting = undefined;
    void this.#post(fix, (fix.sequence ??= this.#sequence++));
  }

  async #post(fix: Fix, sequence: number): Promise<void> {
    const { clock } = this.#api;
    const controller = new AbortController();
    const request = { fix, sequence, startedAtMs: clock.nowMs(), controller };
    this.#request = request;
    const update = { sessionId: this.#sessionId, ...fix.reading, sequence };
    const ageMs = () => Math.round(clock.nowMs() - fix.fixAtMs);
    let sent: Sent;
    try {
      const recorded = await this.#api.update(update, { signal: controller.signal, ageMs });
      if (this.#request !== request) return;
      if (recorded.nextUpdateMs > 0) this.#intervalMs = recorded.nextUpdateMs;
      this.#next.answered(this.#intervalMs);
      fix.settle('sent');
      sent = { recorded, sequence };
    } catch (error) {
      if (this.#request !== request) return;
      sent = this.#failed(request, error as JourneyApiError);
    }
    this.#request = undefined;
    this.#onSent(sent);
    this.#send();
  }

  #failed({ fix, sequence }: Request, error: JourneyApiError): Sent {
    const verdict = verdictOf(error);
    const sent = { position: fix.position, error };
    if (verdict === 'retry') {
      this.#sendAgain(fix);
      return { ...sent, inMs: this.#next.failed(error.retryAfterMs) };
    }
    const lastSequence = Number(error.detail('lastSequence') ?? -1);
    if (verdict === 'stale' && lastSequence >= sequence && !fix.isRepaired) {
      // Another phone, or this one before a restart, has used the sequence. Such an update does not use the rate slot.
      this.#sequence = lastSequence + 1;
      fix.isRepaired = true;
      delete fix.sequence;
      this.#sendAgain(fix);
      this.#next.answered(0);
      return { ...sent, inMs: 0 };
    }
    this.#next.answered(this.#intervalMs);
    fix.settle('dropped');
    return sent;
  }

  /** A newer one may have taken its place. */
  #sendAgain(fix: Fix): void {
    if (!this.#isOpen) fix.settle('dropped');
    else if (this.#waiting) fix.settle('superseded');
    else this.#waiting = fix;
  }
}

function pending(position: PhonePosition, reading: Reading): Pushed {
  let settle: Pushed['settle'] = () => undefined;
  const outcome = new Promise<PushOutcome>((resolve) => {
    settle = resolve;
  });
  return { position, reading, outcome, settle };
}

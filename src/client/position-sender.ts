import type { TrainerProblem } from './contract.js';
import type { Clock } from './clock.js';
import { late } from './deadline.js';
import { FixAges } from './fix-ages.js';
import { JourneyApiError, verdictOf } from './journey-api-error.js';
import { DEADLINE_MS } from './journey-api.js';
import { nextTry, type NextTry } from './next-try.js';
import { readingOf, type PhonePosition } from './position.js';
import { silenceAlarm, type SilenceAlarm } from './silence.js';
import type { Silence } from './tracker-events.js';
import { updateOf, type PushOutcome, type SenderOptions, type Sent, type Update } from './update.js';

interface Request {
  update: Update;
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

/** Posts the newest position, or a heartbeat, at the service's cadence, one request at a time. */
export class PositionSender {
  readonly #with: SenderOptions;
  readonly #clock: Clock;
  readonly #next: NextTry;
  readonly #ages: FixAges;
  readonly #alarm: SilenceAlarm;
  #isOpen = false;
  /** The newest one of this turn of the event loop. */
  #pushed: Update | undefined;
  #waiting: Update | undefined;
  #request: Request | undefined;
  #newest: Update | undefined;
  #silence: Silence | null = null;
  /** The service has a position, to which `still` refers. */
  #hasSent = false;
  #sequence = 1;
  /** Until the service says it. */
  #intervalMs = 5_000;

  constructor(options: SenderOptions) {
    const { api, silenceMeans = 'noFix' } = options;
    this.#with = options;
    this.#clock = api.clock;
    this.#next = nextTry(api);
    this.#ages = new FixAges(api.clock);
    this.#alarm = silenceAlarm(api.clock, () => {
      this.report(silenceMeans);
    });
  }

  /** All positions of one turn are a batch, of which the newest counts. */
  offer(position: PhonePosition): Promise<PushOutcome> {
    let pushed: Update;
    try {
      pushed = updateOf(readingOf(position), position);
    } catch (error) {
      this.#with.onSent({ position: Object(position) as PhonePosition, error: error as JourneyApiError });
      return Promise.resolve('dropped');
    }
    const other = this.#pushed;
    if (other && Number(position.timestamp) < Number(other.position?.timestamp)) {
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
    this.report(this.#silence);
  }

  /** Why no position comes, until the next one; null: the silence counts anew. */
  report(silence: Silence | null): void {
    this.#silence = silence;
    if (silence === null && this.#isOpen) this.#alarm.heard(this.#intervalMs);
    else this.#alarm.cancel();
    this.#with.onSilence();
    this.#send();
  }

  /** Why the student sees no new position. */
  get problem(): TrainerProblem | null {
    if (this.#silence !== 'still') return this.#silence;
    return this.#hasSent ? null : 'noFix';
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
    this.#silence = null;
    this.#alarm.cancel();
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
    const ageMs = this.#ages.ageMs(position?.timestamp);
    pushed.fixAtMs = this.#clock.nowMs() - ageMs;
    if (ageMs > OLDEST_FIX_MS) {
      const message = `the position is ${Math.round(ageMs / 1_000)} s old`;
      pushed.settle('dropped');
      this.#with.onSent({ position, error: new JourneyApiError(0, 'LOCATION_STALE', message) });
    } else if (this.#newest && pushed.fixAtMs < this.#newest.fixAtMs - SAME_TIME_MS) {
      pushed.settle('superseded');
    } else {
      this.#waiting?.settle('superseded');
      this.#waiting = this.#newest = pushed;
      this.report(null);
    }
    this.#replaceHungRequest();
    this.#send();
  }

  #replaceHungRequest(): void {
    const request = this.#request;
    if (!request || this.#clock.nowMs() - request.startedAtMs < HUNG_AFTER_MS) return;
    if (request.update.position) this.#waiting ??= request.update;
    this.#cancel(this.#waiting === request.update ? undefined : 'superseded');
    // The deadline was pause enough.
    this.#next.answered(0);
    this.#with.onSent({ position: request.update.position, error: late(DEADLINE_MS), inMs: 0 });
  }

  #cancel(outcome: PushOutcome | undefined): void {
    const request = this.#request;
    this.#request = undefined;
    request?.controller.abort();
    if (outcome) request?.update.settle(outcome);
  }

  #send(): void {
    const update = this.#waiting ?? this.#heartbeat();
    if (update === null || this.#request || !this.#isOpen) return;
    // Checked at each push, because a phone's timers are suspended in the background.
    if (this.#next.inMs() > 0) {
      this.#next.whenDue(() => {
        this.#send();
      });
      return;
    }
    this.#next.whenDue(undefined);
    this.#waiting = undefined;
    void this.#post(update, (update.sequence ??= this.#sequence++));
  }

  #heartbeat(): Update | null {
    const { problem } = this;
    return this.#silence && updateOf(problem ? { problem } : { still: true });
  }

  async #post(update: Update, sequence: number): Promise<void> {
    const controller = new AbortController();
    const request = { update, sequence, startedAtMs: this.#clock.nowMs(), controller };
    this.#request = request;
    const body = { sessionId: this.#with.sessionId, ...update.reading, sequence };
    const { position } = update;
    const ageMs = () => (position ? Math.round(this.#clock.nowMs() - update.fixAtMs) : undefined);
    let sent: Sent;
    try {
      const recorded = await this.#with.api.update(body, { signal: controller.signal, ageMs });
      if (this.#request !== request) return;
      if (recorded.nextUpdateMs > 0) this.#intervalMs = recorded.nextUpdateMs;
      this.#next.answered(this.#intervalMs);
      update.settle('sent');
      this.#hasSent ||= position !== undefined;
      sent = { position, recorded, sequence };
    } catch (error) {
      if (this.#request !== request) return;
      sent = this.#failed(request, error as JourneyApiError);
    }
    this.#request = undefined;
    this.#with.onSent(sent);
    this.#send();
  }

  #failed({ update, sequence }: Request, error: JourneyApiError): Sent {
    const verdict = verdictOf(error);
    const sent = { position: update.position, error };
    if (verdict === 'retry') {
      this.#sendAgain(update);
      return { ...sent, inMs: this.#next.failed(error.retryAfterMs) };
    }
    const lastSequence = Number(error.detail('lastSequence') ?? -1);
    if (verdict === 'stale' && lastSequence >= sequence && !update.isRepaired) {
      // Another phone, or this one before a restart, has used the sequence. Such an update does not use the rate slot.
      this.#sequence = lastSequence + 1;
      update.isRepaired = true;
      delete update.sequence;
      this.#sendAgain(update);
      const inMs = update.position ? 0 : this.#intervalMs;
      this.#next.answered(inMs);
      return { ...sent, inMs };
    }
    this.#next.answered(this.#intervalMs);
    update.settle('dropped');
    // The service has forgotten the position to which `still` refers.
    if (error.code === 'LOCATION_UNKNOWN') this.#hasSent = false;
    return sent;
  }

  /** A newer one may have taken its place, and a heartbeat is made anew. */
  #sendAgain(update: Update): void {
    if (!this.#isOpen) update.settle('dropped');
    else if (this.#waiting) update.settle('superseded');
    else if (update.position) this.#waiting = update;
  }
}

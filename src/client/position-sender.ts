import type { PositionRecorded } from '../contract/responses.js';
import { verdictOf, type JourneyApiError } from './journey-api-error.js';
import type { JourneyApi } from './journey-api.js';
import { nextTry, type NextTry } from './next-try.js';
import { readingOf, type PhonePosition, type Reading } from './position.js';

/** The outcome for a position. inMs: it, or a newer one, is sent again in that many milliseconds. */
export type Sent =
  | { recorded: PositionRecorded; sequence: number }
  | { recorded?: undefined; position: PhonePosition; error: JourneyApiError; inMs?: number };

interface Fix {
  position: PhonePosition;
  reading: Reading;
  pushedAtMs: number;
  /** Assigned at the first try, so that the service recognises a repeat. */
  sequence?: number;
}

/** Posts the newest position at the cadence that the service asks for, one request at a time. */
export class PositionSender {
  readonly #api: JourneyApi;
  readonly #sessionId: string;
  readonly #over: AbortSignal;
  readonly #onSent: (sent: Sent) => void;
  readonly #next: NextTry;
  #isOpen = false;
  #isSending = false;
  #waiting: Fix | undefined;
  #sequence = 1;
  /** Until the service says it. */
  #intervalMs = 5_000;

  /** over: nothing is sent or reported any more. */
  constructor(api: JourneyApi, sessionId: string, over: AbortSignal, onSent: (sent: Sent) => void) {
    this.#api = api;
    this.#sessionId = sessionId;
    this.#over = over;
    this.#onSent = onSent;
    this.#next = nextTry(api);
  }

  /** Replaces a position that is not sent yet. @throws JourneyApiError VALIDATION_FAILED */
  offer(position: PhonePosition): void {
    this.#waiting = { position, reading: readingOf(position), pushedAtMs: this.#api.clock.nowMs() };
    this.#send();
  }

  /** firstInMs: when the first position is due; null: the journey was running, and its last sequence is unknown. */
  begin(firstInMs: number | null): void {
    this.#isOpen = true;
    // The refusal of the lowest sequence says what the last one was.
    if (firstInMs === null) this.#sequence = 0;
    this.#next.answered(firstInMs ?? 0);
    this.#send();
  }

  /** Stops sending and drops the waiting position. */
  close(): void {
    this.#isOpen = false;
    this.#waiting = undefined;
    this.#next.whenDue(undefined);
  }

  backOnline(): void {
    this.#next.backOnline();
  }

  #send(): void {
    const fix = this.#waiting;
    if (fix === undefined || this.#isSending || !this.#isOpen) return;
    // Checked at each push, because a phone's timers are suspended in the background.
    if (this.#next.inMs() > 0) {
      this.#next.whenDue(() => {
        this.#send();
      });
      return;
    }
    this.#next.whenDue(undefined);
    this.#waiting = undefined;
    this.#isSending = true;
    void this.#post(fix, (fix.sequence ??= this.#sequence++));
  }

  async #post(fix: Fix, sequence: number): Promise<void> {
    const ageMs = Math.round(this.#api.clock.nowMs() - fix.pushedAtMs);
    const update = { sessionId: this.#sessionId, ...fix.reading, sequence, ageMs };
    let sent: Sent;
    try {
      const recorded = await this.#api.update(update, { signal: this.#over });
      if (recorded.nextUpdateMs > 0) this.#intervalMs = recorded.nextUpdateMs;
      this.#next.answered(this.#intervalMs);
      sent = { recorded, sequence };
    } catch (error) {
      sent = this.#failed(fix, sequence, error as JourneyApiError);
    }
    if (this.#over.aborted) return;
    this.#onSent(sent);
    this.#isSending = false;
    this.#send();
  }

  #failed(fix: Fix, sequence: number, error: JourneyApiError): Sent {
    const verdict = verdictOf(error);
    const sent = { position: fix.position, error };
    if (verdict === 'retry') {
      // A newer one may have taken its place.
      if (this.#isOpen) this.#waiting ??= fix;
      return { ...sent, inMs: this.#next.failed(error.retryAfterMs) };
    }
    const isStale = verdict === 'stale';
    if (isStale) this.#sequence = Math.max(this.#sequence, Number(error.detail('lastSequence') ?? -1) + 1);
    // A stale update does not use the rate slot, and the first one of a restarted tracker only asks for the sequence.
    this.#next.answered(isStale && sequence === 0 ? 0 : this.#intervalMs);
    return sent;
  }
}

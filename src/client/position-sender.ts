import type { PositionRecorded } from '../contract/responses.js';
import { verdictOf, type JourneyApiError } from './journey-api-error.js';
import type { JourneyApi } from './journey-api.js';
import { nextTry, type NextTry } from './next-try.js';
import { readingOf, type PhonePosition, type Reading } from './position.js';

/** What came of a position: inMs where it, or a newer one, is tried again in so many milliseconds. */
export type Sent =
  | { recorded: PositionRecorded; sequence: number }
  | { recorded?: undefined; position: PhonePosition; error: JourneyApiError; inMs?: number };

interface Fix {
  position: PhonePosition;
  reading: Reading;
  pushedAtMs: number;
  /** From its first try on, so that the service knows a repeat. */
  sequence?: number;
}

/** Posts the newest position at the cadence that the service asks for, one request at a time. */
export class PositionSender {
  readonly #api: JourneyApi;
  readonly #sessionId: string;
  readonly #over: AbortSignal;
  readonly #tell: (sent: Sent) => void;
  readonly #next: NextTry;
  #isOpen = false;
  #isSending = false;
  #waiting: Fix | undefined;
  #sequence = 1;
  /** Where the service does not say it. */
  #intervalMs = 5_000;

  /** over: nothing is sent and nothing told any more. */
  constructor(api: JourneyApi, sessionId: string, over: AbortSignal, tell: (sent: Sent) => void) {
    this.#api = api;
    this.#sessionId = sessionId;
    this.#over = over;
    this.#tell = tell;
    this.#next = nextTry(api);
  }

  /** Takes the place of one that waits. @throws JourneyApiError VALIDATION_FAILED */
  offer(position: PhonePosition): void {
    this.#waiting = { position, reading: readingOf(position), pushedAtMs: this.#api.clock.nowMs() };
    this.#send();
  }

  /** firstInMs: when the first one is wanted; null: the journey runs already, and its last sequence is not known. */
  begin(firstInMs: number | null): void {
    this.#isOpen = true;
    // 0, the lowest of all: the answer to it says what the last one was.
    if (firstInMs === null) this.#sequence = 0;
    this.#next.answered(firstInMs ?? 0);
    this.#send();
  }

  /** Sends nothing any more, and forgets what waits. */
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
    // Asked by the clock and not by the alarm alone: in the background a phone's timers stand still, and push comes.
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
    this.#tell(sent);
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
    // A refusal for its order uses up no turn: the first one of a tracker that was restarted has only asked for it.
    this.#next.answered(isStale && sequence === 0 ? 0 : this.#intervalMs);
    return sent;
  }
}

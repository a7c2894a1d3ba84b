import type { LiveJourney, Location } from '../contract/responses.js';
import { Emitter } from './emitter.js';
import { freshnessBy, type Freshness } from './freshness.js';
import { endOf, verdictOf, type Ended, type JourneyApiError } from './journey-api-error.js';
import type { JourneyApi, LiveAnswer } from './journey-api.js';
import { journeyLimit, type JourneyLimit } from './journey-limit.js';
import { nextTry, untilDue, type NextTry } from './next-try.js';

/** waiting: the journey has not started, or has no position yet. */
export type WatcherState = 'waiting' | 'live' | 'delayed' | 'stale' | 'reconnecting' | 'ended';

/** What the app shows. */
export interface Watched {
  state: WatcherState;
  /** The last known position, also when it is old, without a network, or after the end. */
  position: Location | null;
  /** Its age in milliseconds. */
  ageMs: number | null;
  /** The service's last answer, with distance and arrival estimate as of then. */
  journey: LiveJourney | null;
}

export interface WatcherEvents {
  /** A new state, position or answer, or the position has aged. */
  change: Watched;
  retrying: { error: JourneyApiError; inMs: number };
  /** The last event. */
  ended: Ended & { endedAt?: string | undefined };
}

const WAIT_SECONDS = 25;
/** Until the service says it. */
const POLL_MS = 5_000;
const BACKGROUND_POLL_MS = 30_000;
/** Protects a service that answers every wait at once. */
const SHORTEST_ROUND_MS = 1_000;

/** Follows the journey of one session. One instance per session and screen. */
export class StudentWatcher extends Emitter<WatcherEvents> {
  readonly #api: JourneyApi;
  readonly #sessionId: string;
  readonly #over = new AbortController();
  readonly #next: NextTry;
  readonly #freshness: Freshness;
  readonly #limit: JourneyLimit;
  readonly #stopListening: () => void;
  #isRunning = false;
  #isInBackground = false;
  #isCutOff = false;
  #isOver = false;
  #journey: LiveJourney | null = null;
  #position: Location | null = null;
  /** Start and time of the shown position; ISO times sort as text. */
  #newest = '';
  #etag: string | null = null;
  #pollMs = POLL_MS;
  /** Aborts the poll in flight. */
  #poll: AbortController | undefined;

  constructor({ api, sessionId }: { api: JourneyApi; sessionId: string }) {
    super(api.clock);
    this.#api = api;
    this.#sessionId = sessionId;
    this.#next = nextTry(api);
    this.#freshness = freshnessBy(api.clock, () => {
      this.#show();
    });
    this.#limit = journeyLimit(api.clock, () => {
      this.#end({ reason: 'timeout' });
    });
    this.#stopListening = api.whenOnline(() => {
      // A poll on the previous network would hang until its deadline.
      this.#poll?.abort();
      this.#next.backOnline();
    });
  }

  get state(): WatcherState {
    if (this.#isOver) return 'ended';
    if (this.#isCutOff) return 'reconnecting';
    return this.#position === null ? 'waiting' : this.#freshness.level();
  }

  get watched(): Watched {
    const ageMs = this.#position && this.#freshness.ageMs();
    return { state: this.state, position: this.#position, ageMs, journey: this.#journey };
  }

  /** Follows the session until its journey ends or close() is called; before the start it waits for the start. */
  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#follow();
  }

  /** Polls at most twice a minute in the background, and at once when back in the foreground. */
  setBackground(isInBackground: boolean): void {
    this.#isInBackground = isInBackground;
    if (!isInBackground && !this.#next.isBackingOff()) this.#next.answered(0);
  }

  close(): void {
    this.#end({ reason: 'closed' });
  }

  async #follow(): Promise<void> {
    while (!this.#isOver) {
      const startedAtMs = this.#api.clock.nowMs();
      try {
        this.#take(await this.#ask(), startedAtMs);
      } catch (error) {
        this.#failed(error as JourneyApiError);
      }
      // Rejects at the end.
      await untilDue(this.#next, this.#over.signal).catch(() => undefined);
    }
  }

  async #ask(): Promise<LiveAnswer> {
    const { signal } = (this.#poll = new AbortController());
    const waitSeconds = this.#isInBackground ? 0 : WAIT_SECONDS;
    try {
      return await this.#api.live(this.#sessionId, { etag: this.#etag, waitSeconds, signal });
    } finally {
      this.#poll = undefined;
    }
  }

  #take({ journey, etag, nextPollMs, wasWaitGranted }: LiveAnswer, startedAtMs: number): void {
    if (this.#isOver) return;
    // After the first answer, a second request shows whether the service waits for changes.
    const isWaiting = wasWaitGranted || (this.#journey === null && etag !== null);
    this.#etag = etag;
    this.#isCutOff = false;
    this.#pollMs = nextPollMs ?? this.#pollMs;
    const roundMs = this.#api.clock.nowMs() - startedAtMs;
    const pollMs = isWaiting ? Math.max(0, SHORTEST_ROUND_MS - roundMs) : this.#pollMs;
    this.#next.answered(this.#isInBackground ? Math.max(BACKGROUND_POLL_MS, this.#pollMs) : pollMs);
    if (journey !== null) this.#look(journey);
    this.#show();
  }

  #look(journey: LiveJourney): void {
    const { isActive, startedAt, expiresAt, location, endedReason, endedAt } = journey;
    if (!isActive) {
      // Inactive, but neither ended nor seen active: not started yet.
      const hasEnded = endedReason !== undefined || this.#journey?.isActive === true;
      this.#journey = journey;
      if (hasEnded) this.#end({ reason: endedReason ?? 'unknown', endedAt });
      return;
    }
    // Answers of two service tasks can arrive out of order, and an expired position is still the last known one.
    const time = `${startedAt ?? ''}${location?.timestamp ?? ''}`;
    if (time < this.#newest) return;
    if (location !== null) this.#freshness.seen(journey, time !== this.#newest);
    this.#newest = time;
    this.#position = location;
    this.#journey = journey;
    this.#limit.update(expiresAt, location?.timestamp ?? startedAt);
  }

  #failed(error: JourneyApiError): void {
    if (this.#isOver) return;
    // Aborted by backOnline: another poll follows.
    const isReplaced = error.code === 'ABORTED';
    if (!isReplaced && verdictOf(error) !== 'retry') {
      this.#end(endOf(error));
      return;
    }
    const inMs = this.#next.failed(error.retryAfterMs);
    if (isReplaced) {
      this.#next.backOnline();
      return;
    }
    this.#isCutOff = true;
    this.#show();
    this.emit('retrying', { error, inMs });
  }

  #show(): void {
    if (!this.#isOver) this.emit('change', this.watched);
  }

  #end(ended: WatcherEvents['ended']): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopListening();
    this.#freshness.stop();
    this.#limit.cancel();
    this.#over.abort();
    this.#poll?.abort();
    this.emit('change', this.watched);
    this.emit('ended', ended);
  }
}

import type { LiveJourney, Location } from './contract.js';
import type { LiveAnswer } from './answer.js';
import { Emitter } from './emitter.js';
import { freshnessBy, type Freshness } from './freshness.js';
import { endOf, verdictOf, type JourneyApiError } from './journey-api-error.js';
import type { JourneyApi } from './journey-api.js';
import { journeyLimit, type JourneyLimit } from './journey-limit.js';
import { nextTry, untilDue, type NextTry } from './next-try.js';
import { derivedFrom, type Watched, type WatcherState } from './watched.js';

export interface WatcherEvents {
  /** A new state, position or answer, or the position has aged. */
  change: Watched;
  retrying: { error: JourneyApiError; inMs: number };
  /** The last event, unless start() is called again. */
  ended: NonNullable<Watched['ended']>;
}

interface Poll {
  waitSeconds: number;
  startedAtMs: number;
  /** Aborted where another poll replaces it. */
  signal: AbortSignal;
}

const WAIT_SECONDS = 25;
const SHORTEST_WAIT_SECONDS = 5;
/** Until the service says it. */
const POLL_MS = 5_000;
const BACKGROUND_POLL_MS = 30_000;
/** Protects a service that answers every wait at once. */
const SHORTEST_ROUND_MS = 1_000;
/** A proxy that limits the time of requests allows at least this. */
const SHORTEST_CUT_MS = 2_000;

/** Follows the journey of one session. One instance per session and screen. */
export class StudentWatcher extends Emitter<WatcherEvents> {
  readonly #api: JourneyApi;
  readonly #sessionId: string;
  readonly #next: NextTry;
  readonly #freshness: Freshness;
  readonly #limit: JourneyLimit;
  /** Aborted at the end. */
  #running: AbortController | undefined;
  #stopListening: (() => void) | undefined;
  /** Aborts the last poll. */
  #poll: AbortController | undefined;
  #isInBackground = false;
  #ended: Watched['ended'] = null;
  #isCutOff = false;
  /** The next poll answers at once, because what is shown may be wrong. */
  #isUnsure = false;
  #grantsWait = true;
  #waitSeconds = WAIT_SECONDS;
  #pollMs = POLL_MS;
  #journey: LiveJourney | null = null;
  #position: Location | null = null;
  /** Start and time of the shown position; ISO times sort as text. */
  #newest = '';
  #etag: string | null = null;
  #watched: Watched;

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
    this.#watched = this.#derive();
  }

  get state(): WatcherState {
    if (this.#ended) return 'ended';
    if (this.#isCutOff) return 'reconnecting';
    return this.#position === null ? 'waiting' : this.#freshness.level();
  }

  get watched(): Watched {
    return this.#watched;
  }

  /**
   * Follows the session until its journey ends or close() is called; before the start it waits for the start. After the
   * end it follows the next journey.
   */
  start(): void {
    if (this.#running) return;
    if (this.#ended) this.#forget();
    const { signal } = (this.#running = new AbortController());
    this.#stopListening = this.#api.whenOnline(() => {
      this.#pollNow();
    });
    void this.#follow(signal);
  }

  /** Polls at most twice a minute in the background, and at once when back in the foreground. */
  setBackground(isInBackground: boolean): void {
    if (isInBackground === this.#isInBackground) return;
    this.#isInBackground = isInBackground;
    if (!isInBackground) this.#pollNow();
  }

  close(): void {
    this.#end({ reason: 'closed' });
  }

  /** Replaces a poll that may hang on the previous network, or since before the phone slept. */
  #pollNow(): void {
    this.#isUnsure = true;
    this.#waitSeconds = WAIT_SECONDS;
    this.#poll?.abort();
    this.#next.now();
  }

  async #follow(over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      const isPlain = this.#isInBackground || this.#isUnsure || this.#etag === null;
      const waitSeconds = isPlain ? 0 : this.#waitSeconds;
      const { signal } = (this.#poll = new AbortController());
      const poll = { waitSeconds, startedAtMs: this.#api.clock.nowMs(), signal };
      try {
        const answer = await this.#api.live(this.#sessionId, { etag: this.#etag, waitSeconds, signal });
        this.#take(answer, poll, over);
      } catch (error) {
        this.#failed(error as JourneyApiError, poll, over);
      }
      // Rejects at the end.
      await untilDue(this.#next, over).catch(() => undefined);
    }
  }

  #take(answer: LiveAnswer, { waitSeconds, startedAtMs }: Poll, over: AbortSignal): void {
    if (over.aborted) return;
    const { journey, etag, ageMs, nextPollMs, wasWaitGranted } = answer;
    const isUnchanged = etag === this.#etag;
    if (waitSeconds > 0) this.#grantsWait = wasWaitGranted;
    this.#etag = etag;
    this.#isCutOff = this.#isUnsure = false;
    this.#pollMs = nextPollMs ?? this.#pollMs;
    const roundMs = this.#api.clock.nowMs() - startedAtMs;
    const isWaiting = this.#grantsWait && etag !== null;
    const pollMs = isWaiting ? Math.max(0, SHORTEST_ROUND_MS - roundMs) : this.#pollMs;
    this.#next.answered(this.#isInBackground ? Math.max(BACKGROUND_POLL_MS, this.#pollMs) : pollMs);
    if (journey !== null) this.#see(journey, isUnchanged);
    else if (ageMs !== null && this.#position) this.#freshness.seenAgain(ageMs);
    if (!this.#ended) this.#show();
  }

  #see(journey: LiveJourney, isUnchanged: boolean): void {
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
    if (time === this.#newest && isUnchanged) {
      this.#freshness.seenAgain(journey.ageMs ?? 0);
      return;
    }
    if (location !== null) this.#freshness.seen(journey);
    this.#newest = time;
    this.#position = location;
    this.#journey = journey;
    this.#limit.update(expiresAt, location?.timestamp ?? startedAt);
  }

  #failed(error: JourneyApiError, { waitSeconds, startedAtMs, signal }: Poll, over: AbortSignal): void {
    if (over.aborted) return;
    this.#isUnsure = true;
    if (signal.aborted) {
      this.#next.now();
      return;
    }
    if (verdictOf(error) !== 'retry') {
      this.#end(endOf(error));
      return;
    }
    const roundMs = this.#api.clock.nowMs() - startedAtMs;
    const isForeign = error.code === 'NETWORK_ERROR' || error.code === 'INVALID_ANSWER';
    if (isForeign && roundMs >= SHORTEST_CUT_MS && roundMs < waitSeconds * 1_000) {
      // Most likely a proxy limits the time of requests.
      this.#waitSeconds = Math.max(SHORTEST_WAIT_SECONDS, Math.floor(roundMs / 1_000) - 1);
    } else this.#isCutOff = true;
    const inMs = this.#next.failed(error.retryAfterMs);
    this.#show();
    this.emit('retrying', { error, inMs });
  }

  #derive(): Watched {
    const ageMs = this.#position && this.#freshness.ageMs();
    const isStale = this.#freshness.level() === 'stale';
    const derived = derivedFrom(this.#journey, ageMs, isStale);
    const shown = { state: this.state, position: this.#position, ageMs, ...derived };
    return { ...shown, journey: this.#journey, ended: this.#ended };
  }

  #show(): void {
    this.#watched = this.#derive();
    this.emit('change', this.#watched);
  }

  #end(ended: WatcherEvents['ended']): void {
    if (this.#ended) return;
    this.#ended = ended;
    this.#stopListening?.();
    this.#freshness.stop();
    this.#limit.cancel();
    this.#running?.abort();
    this.#running = undefined;
    this.#poll?.abort();
    this.#show();
    this.emit('ended', ended);
  }

  #forget(): void {
    this.#isCutOff = this.#isUnsure = false;
    this.#ended = this.#journey = this.#position = this.#etag = null;
    this.#newest = '';
    this.#next.answered(0);
    this.#watched = this.#derive();
  }
}

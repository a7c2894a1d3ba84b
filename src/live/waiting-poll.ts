import { withTimeout } from '../journeys/errors.js';
import type { Caller } from '../journeys/journey.js';
import type { Waiter, WatchedJourney } from './journey-feed.js';
import type { LiveReader } from './live-reader.js';
import { mayWatch, type LiveOutcome, type LiveState } from './live-state.js';

export interface Poller {
  caller: Caller;
  sessionId: string;
}

/** A caller that would wait for a change. One of `answer` and `fail` is called, once, unless the poll is cancelled. */
export interface LivePoll extends Poller {
  /** How long to wait. */
  seconds: number;
  /** For reading the state; the wait is not included. */
  timeoutMs: number;
  /** Whether the caller has this version already. */
  knows(version: string): boolean;
  answer(outcome: LiveOutcome): void;
  fail(error: unknown): void;
}

/** What all polls of the process share. */
export interface PollHost {
  reader: LiveReader;
  /** waited: the wait was granted and is over; false: ask again. */
  outcomeOf(poll: Poller, state: LiveState, waited: boolean): LiveOutcome;
  /** Called once for each poll, before its answer. */
  onClosed(poll: WaitingPoll): void;
}

/** A poll from its request to its answer. While it waits it is a plain object, and no promise is pending for it. */
export class WaitingPoll implements Waiter {
  readonly poll: LivePoll;
  readonly watched: WatchedJourney;
  readonly #host: PollHost;
  readonly #timer: NodeJS.Timeout;
  /** The state that the caller knows; null while it is being read. */
  #waitsOn: LiveState | null = null;
  #isTimedOut = false;
  #isReleased = false;
  #isClosed = false;

  constructor(poll: LivePoll, watched: WatchedJourney, host: PollHost) {
    this.poll = poll;
    this.watched = watched;
    this.#host = host;
    this.#timer = setTimeout(() => {
      this.#timeOut();
    }, poll.seconds * 1_000);
  }

  get isWaiting(): boolean {
    return this.#waitsOn !== null;
  }

  start(): void {
    const { subscribed } = this.watched;
    if (subscribed === null) {
      this.#waitOrRead();
      return;
    }
    // Before the state is read: a change between the read and the wait must not be missed.
    withTimeout(this.poll.timeoutMs / 2, 'redis', subscribed).then(
      () => {
        this.#waitOrRead();
      },
      (error: unknown) => {
        this.#fail(error);
      },
    );
  }

  onChange(): void {
    const { watched } = this;
    if (watched.isBroken) this.release();
    else if (watched.active !== null) this.#answerOrWait(watched.active);
    else this.#read();
  }

  /** Answers a poll that waits with what is known, and any other as soon as it could wait. */
  release(): void {
    this.#isReleased = true;
    if (this.#waitsOn !== null) this.#answerOrWait(this.watched.active ?? this.#waitsOn);
  }

  /** The caller has gone. */
  cancel(): void {
    this.#close();
  }

  #timeOut(): void {
    this.#isTimedOut = true;
    // Read again: another version of the service may have changed the state without publishing it.
    if (this.#waitsOn !== null) this.#read();
  }

  /** The cache only says that there is nothing new; what is shown is read from Redis. */
  #waitOrRead(): void {
    const cached = this.watched.active;
    const isCurrent = cached !== null && cached.nowMs < cached.journey.expiresAtMs;
    if (isCurrent && this.#knows(cached)) this.#answerOrWait(cached);
    else this.#read();
  }

  #read(): void {
    this.#waitsOn = null;
    this.watched.waiters.delete(this);
    this.#readAndCache().then(
      (state) => {
        this.#answerOrWait(state);
      },
      (error: unknown) => {
        this.#fail(error);
      },
    );
  }

  async #readAndCache(): Promise<LiveState> {
    const { watched } = this;
    const { caller, sessionId, timeoutMs } = this.poll;
    for (;;) {
      const { generation } = watched;
      const state = await this.#host.reader.read(caller, sessionId, timeoutMs / 2);
      // A start or an end overtook the read.
      if (generation !== watched.generation) continue;
      watched.remember(state.kind === 'active' ? state : null);
      return watched.active ?? state;
    }
  }

  /** Nothing is awaited between the check and the wait, so no change is missed. */
  #answerOrWait(state: LiveState): void {
    if (this.#isClosed) return;
    const { watched } = this;
    // The cached journey may be another than the one that the caller began to wait for.
    const isAllowed = state.kind !== 'active' || mayWatch(this.poll.caller, state.journey);
    const isReleased = this.#isReleased || watched.isBroken;
    const isKnown = this.#knows(state);
    if (isAllowed && isKnown && !this.#isTimedOut && !isReleased) {
      this.#waitsOn = state;
      watched.waiters.add(this);
      return;
    }
    this.#close();
    const waited = this.#isTimedOut || !isKnown;
    this.poll.answer(this.#host.outcomeOf(this.poll, isAllowed ? state : { kind: 'forbidden' }, waited));
  }

  #knows(state: LiveState): boolean {
    return 'version' in state && this.poll.knows(state.version);
  }

  #fail(error: unknown): void {
    if (this.#isClosed) return;
    this.#close();
    this.poll.fail(error);
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waitsOn = null;
    clearTimeout(this.#timer);
    this.watched.waiters.delete(this);
    this.#host.onClosed(this);
  }
}

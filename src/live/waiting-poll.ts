import { withTimeout } from '../journeys/errors.js';
import type { Caller } from '../journeys/journey.js';
import type { Waiter, WatchedJourney } from './journey-feed.js';
import type { LiveReader } from './live-reader.js';
import { mayWatch, type LiveState } from './live-state.js';
import { activeVersion } from './live-view.js';

/** What a caller that would wait for a change asks for. One of the callbacks is called, once, unless it is cancelled. */
export interface WaitRequest {
  caller: Caller;
  sessionId: string;
  seconds: number;
  /** For reading the state; the wait is not included. */
  timeoutMs: number;
  /** Whether the caller has this version already. */
  isKnown: (version: string) => boolean;
}

export interface WaitingPollDependencies {
  request: WaitRequest;
  watched: WatchedJourney;
  reader: LiveReader;
  /** waited: the wait was granted and is over; false: ask again. */
  onState: (state: LiveState, waited: boolean) => void;
  onError: (error: unknown) => void;
  /** Called once, before the callbacks. */
  onClosed: () => void;
}

/** A poll from its request to its response. While it waits it is a plain object, and no promise is pending for it. */
export class WaitingPoll implements Waiter {
  readonly #dependencies: WaitingPollDependencies;
  readonly #timer: NodeJS.Timeout;
  /** The state that the caller knows; null while it is being read. */
  #waitsOn: LiveState | null = null;
  #isTimedOut = false;
  #isReleased = false;
  #isClosed = false;

  constructor(dependencies: WaitingPollDependencies) {
    this.#dependencies = dependencies;
    this.#timer = setTimeout(() => {
      this.#timeOut();
    }, dependencies.request.seconds * 1_000);
  }

  get isWaiting(): boolean {
    return this.#waitsOn !== null;
  }

  start(): void {
    this.#answerWith(this.#firstState());
  }

  onChange(): void {
    const { watched } = this.#dependencies;
    if (watched.isBroken) this.release();
    else if (watched.active !== null) this.#answerOrWait({ kind: 'active', active: watched.active });
    else this.#answerWith(this.#readAndCache());
  }

  /** Answers a poll that waits with what is known, and any other as soon as it could wait. */
  release(): void {
    this.#isReleased = true;
    if (this.#waitsOn === null) return;
    const { active } = this.#dependencies.watched;
    this.#answerOrWait(active === null ? this.#waitsOn : { kind: 'active', active });
  }

  /** The caller has gone. */
  cancel(): void {
    this.#close();
  }

  #timeOut(): void {
    this.#isTimedOut = true;
    // Read again: another version of the service may have changed the state without publishing it.
    if (this.#waitsOn !== null) this.#answerWith(this.#readAndCache());
  }

  #answerWith(reading: Promise<LiveState>): void {
    this.#waitsOn = null;
    this.#dependencies.watched.waiters.delete(this);
    reading.then(
      (state) => {
        this.#answerOrWait(state);
      },
      (error: unknown) => {
        if (this.#isClosed) return;
        this.#close();
        this.#dependencies.onError(error);
      },
    );
  }

  async #firstState(): Promise<LiveState> {
    const { request, watched } = this.#dependencies;
    // Before the state is read: a change between the read and the wait must not be missed.
    if (watched.subscribed !== null) await withTimeout(request.timeoutMs / 2, 'redis', watched.subscribed);
    const { active } = watched;
    // The cache only says that there is nothing new; what is shown is read from Redis.
    const isCurrent = active !== null && active.nowMs < active.journey.expiresAtMs;
    const cached: LiveState | null = isCurrent ? { kind: 'active', active } : null;
    return cached !== null && this.#isKnown(cached) ? cached : this.#readAndCache();
  }

  async #readAndCache(): Promise<LiveState> {
    const { request, watched, reader } = this.#dependencies;
    for (;;) {
      const { generation } = watched;
      const state = await reader.read(request.caller, request.sessionId, request.timeoutMs / 2);
      // A start or an end overtook the read.
      if (generation !== watched.generation) continue;
      watched.remember(state.kind === 'active' ? state.active : null);
      return watched.active === null ? state : { kind: 'active', active: watched.active };
    }
  }

  /** Nothing is awaited between the check and the wait, so no change is missed. */
  #answerOrWait(state: LiveState): void {
    if (this.#isClosed) return;
    const { request, watched, onState } = this.#dependencies;
    // The cached journey may be another than the one that the caller began to wait for.
    const isAllowed = state.kind !== 'active' || mayWatch(request.caller, state.active.journey);
    const isReleased = this.#isReleased || watched.isBroken;
    if (isAllowed && this.#isKnown(state) && !this.#isTimedOut && !isReleased) {
      this.#waitsOn = state;
      watched.waiters.add(this);
      return;
    }
    const waited = this.#isTimedOut || !this.#isKnown(state);
    this.#close();
    onState(isAllowed ? state : { kind: 'forbidden' }, waited);
  }

  #isKnown(state: LiveState): boolean {
    const { isKnown } = this.#dependencies.request;
    switch (state.kind) {
      case 'active':
        return isKnown(activeVersion(state.active.journey, state.active.location));
      case 'inactive':
        return isKnown(state.version);
      case 'sessionNotFound':
      case 'rateLimited':
      case 'forbidden':
        return false;
    }
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waitsOn = null;
    clearTimeout(this.#timer);
    this.#dependencies.watched.waiters.delete(this);
    this.#dependencies.onClosed();
  }
}

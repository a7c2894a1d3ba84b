import type { LiveJourney } from '../contract/responses.js';
import { AlarmClock } from './alarm-clock.js';
import { nextPollMs, type Cadence } from './cadence.js';
import type { RateLimiter } from '../journeys/rate-limiter.js';
import { withTimeout } from '../journeys/errors.js';
import { JourneyFeed, type FollowedJourney } from './journey-feed.js';
import { STALE_AFTER_MS, type Caller, type Journey, type LiveLocation } from '../journeys/journey.js';
import { LivePoll, type Found } from './live-poll.js';
import { activeVersion, activeView, endedView, inactiveView } from './live-view.js';
import type { LiveOutcome } from '../journeys/outcomes.js';
import type { JourneyChanges, JourneyObserver, JourneyStore, SessionLookup } from '../journeys/ports.js';
import type { Signal, Wait } from './waiting-caller.js';
import { WaitingPlaces } from './waiting-places.js';

export interface LiveServiceDependencies {
  store: JourneyStore;
  directory: SessionLookup;
  guesses: RateLimiter;
  changes: JourneyChanges;
  observer: JourneyObserver;
  /** Whether the platform is told of students who look at an old position. */
  tellsStaleLocations: boolean;
  cadence: () => Cadence;
  /** Runs on at the pace of the store's clock: what is kept of a journey grows older by it. */
  monotonicMs: () => number;
}

/** At about 30 KB each they hold 0.8 of a task's 2 GB; further ones are answered at once. */
const MOST_WAITING = 25_000;

/** Where the trainers are, for those who may know: now, or as soon as it changes. */
export class LiveService {
  readonly #store: JourneyStore;
  readonly #directory: SessionLookup;
  readonly #guesses: RateLimiter;
  readonly #followed: JourneyFeed;
  readonly #observer: JourneyObserver;
  readonly #tellsStaleLocations: boolean;
  readonly #cadence: () => Cadence;
  readonly #alarms = new AlarmClock();
  readonly #places = new WaitingPlaces();
  #waiting = 0;
  #isReleased = false;

  constructor(dependencies: LiveServiceDependencies) {
    this.#store = dependencies.store;
    this.#directory = dependencies.directory;
    this.#guesses = dependencies.guesses;
    this.#followed = new JourneyFeed(dependencies.changes, dependencies.monotonicMs);
    this.#observer = dependencies.observer;
    this.#tellsStaleLocations = dependencies.tellsStaleLocations;
    this.#cadence = dependencies.cadence;
  }

  /** How many polls wait at present. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Answers all that wait, at once; from now on nobody waits. */
  releaseAll(): void {
    this.#isReleased = true;
    for (const poll of this.#followed.waiting) poll.wake('released');
  }

  async now(caller: Caller, sessionId: string, withinMs: number): Promise<LiveOutcome> {
    return this.#outcomeOf(await this.#look(caller, sessionId, withinMs), false);
  }

  /**
   * The state when it is another than the caller knows, or after the wait; null: the poll is held, and its wait is told
   * later. withinMs: for each look at the state.
   */
  async next(caller: Caller, sessionId: string, withinMs: number, wait: Wait): Promise<LiveOutcome | null> {
    // Whoever guesses follows nothing: each session followed is a subscription.
    const isGuessing = this.#guesses.waitMs(caller.userId) > 0;
    const isUp = !this.#isReleased && this.#followed.isUp && this.waiting < MOST_WAITING;
    if (isGuessing || !isUp || !this.#places.take(caller)) return this.now(caller, sessionId, withinMs);
    const followed = this.#followed.join(sessionId);
    const poll = LivePoll.of(caller, withinMs / 2, wait, followed, this.#goOn);
    return this.#leaving(poll, async () => {
      // Before the state is read: what happens between the reading and the waiting is told then.
      if (followed.confirmed !== null) await withTimeout(poll.withinMs, 'redis', followed.confirmed);
      // What is kept says whether there is anything to wait for; whoever is shown something is shown what a look finds.
      return this.#tellOrHold(poll, this.#kept(followed, wait) ?? (await this.#lookAndRemember(poll)));
    });
  }

  /** With a poll that was woken. */
  readonly #goOn = (poll: LivePoll, signal: Signal): void => {
    this.#waiting--;
    this.#leaving(poll, async () => {
      const { instead } = poll;
      const { active } = poll.followed;
      if (signal === 'released' || signal === 'broken') {
        if (instead !== null) return this.#outcomeOf({ active: null, outcome: instead }, false);
        if (active !== null) {
          // It may be another journey than the one that it came to wait for.
          if (!mayWatch(poll.caller, active.journey)) return { kind: 'forbidden' };
          return this.#outcomeOf({ active }, false);
        }
      }
      if (signal === 'changed' && active !== null) return this.#tellOrHold(poll, { active });
      // Also after the wait: another version of the service may have changed the state and told nobody.
      const found = await this.#lookAndRemember(poll);
      return signal === 'timeout' ? this.#outcomeOf(found, true) : this.#tellOrHold(poll, found);
    }).then(
      (outcome) => {
        if (outcome !== null) poll.wait.answer(outcome);
      },
      (error: unknown) => {
        poll.wait.fail(error);
      },
    );
  };

  /** The poll gives its places back unless it is held. */
  async #leaving(poll: LivePoll, work: () => Promise<LiveOutcome | null>): Promise<LiveOutcome | null> {
    let isHeld = false;
    try {
      const outcome = await work();
      isHeld = outcome === null;
      return outcome;
    } finally {
      if (!isHeld) {
        this.#followed.leave(poll.followed);
        this.#places.giveBack(poll.caller);
      }
    }
  }

  /** What there is to say, or null where the poll is held. Nothing is awaited in between, so nothing is missed. */
  #tellOrHold(poll: LivePoll, found: Found): LiveOutcome | null {
    const { caller, wait, followed } = poll;
    if (found.active !== null && !mayWatch(caller, found.active.journey)) return { kind: 'forbidden' };
    if (!isKnownTo(wait, found)) return this.#outcomeOf(found, true);
    if (this.#isReleased || poll.isGone || followed.isBroken) return this.#outcomeOf(found, false);
    poll.instead = found.active === null ? found.outcome : null;
    wait.rest();
    this.#waiting++;
    poll.sleepIn(followed);
    this.#alarms.set(poll, Math.max(0, poll.endsAtMs - performance.now()));
    return null;
  }

  /** The journey as it is kept, where that is what the caller knows. */
  #kept({ active }: FollowedJourney, wait: Wait): Found | null {
    if (active === null || active.nowMs >= active.journey.expiresAtMs) return null;
    return isKnownTo(wait, { active }) ? { active } : null;
  }

  async #lookAndRemember({ caller, withinMs, followed }: LivePoll): Promise<Found> {
    for (;;) {
      const { lifecycles } = followed;
      const found = await this.#look(caller, followed.sessionId, withinMs);
      // A start or an end that came meanwhile makes it old; each look has its own time limit, and they are rare.
      if (lifecycles !== followed.lifecycles) continue;
      followed.remember(found.active);
      return followed.active === null ? found : { active: followed.active };
    }
  }

  /** Never slows or fails the poll that noticed it. */
  #reportIfStale(journey: Journey, location: LiveLocation | null, nowMs: number): void {
    // A position that has expired is an old one too; a journey that has none yet began a moment ago.
    const lastSeenMs = location?.fixMs ?? journey.startedAtMs;
    if (!this.#tellsStaleLocations || nowMs - lastSeenMs <= STALE_AFTER_MS) return;
    this.#store.reportStale(journey.sessionId).catch(() => undefined);
  }

  async #look(caller: Caller, sessionId: string, withinMs: number): Promise<Found> {
    const askedAt = performance.now();
    const reading = await this.#store.readLive(sessionId);
    switch (reading.kind) {
      case 'active': {
        this.#observer.polled('state');
        const { journey, location, nowMs } = reading;
        if (!mayWatch(caller, journey)) return instead({ kind: 'forbidden' });
        if (caller.role === 'student') this.#reportIfStale(journey, location, nowMs);
        return { active: { journey, location, nowMs } };
      }
      case 'ended': {
        this.#observer.polled('state');
        const { journey } = reading;
        if (!mayWatch(caller, journey)) return instead({ kind: 'forbidden' });
        return shown(endedView(journey), `ended-${journey.endedAtMs.toString(36)}`);
      }
      case 'inactive': {
        const isCached = reading.session !== null || reading.knownMissing;
        this.#observer.polled(isCached ? 'cache' : 'postgres');
        const retryAfterMs = isCached ? 0 : this.#guesses.waitMs(caller.userId);
        if (retryAfterMs > 0) return instead({ kind: 'rateLimited', retryAfterMs });
        const leftMs = withinMs - (performance.now() - askedAt);
        const session = isCached
          ? reading.session
          : await withTimeout(leftMs, 'postgres', this.#directory.find(sessionId, caller.userId));
        if (session === null) return instead({ kind: 'sessionNotFound' });
        if (!mayWatch(caller, session)) return instead({ kind: 'forbidden' });
        const view = inactiveView(sessionId, session.trainerId, this.#cadence());
        return shown(view, `none-${session.trainerId ?? ''}`);
      }
    }
  }

  #outcomeOf(found: Found, waited: boolean): LiveOutcome {
    if (found.active === null) {
      return found.outcome.kind === 'live' ? { ...found.outcome, waited } : found.outcome;
    }
    const { journey, location, nowMs } = found.active;
    const cadence = this.#cadence();
    return {
      kind: 'live',
      show: () => activeView(journey, location, nowMs, cadence),
      nextPollMs: nextPollMs(location, nowMs, cadence),
      version: activeVersion(journey, location),
      waited,
    };
  }
}

function instead(outcome: LiveOutcome): Found {
  return { active: null, outcome };
}

function shown(view: LiveJourney, version: string): Found {
  return instead({ kind: 'live', show: () => view, nextPollMs: view.nextPollMs, version, waited: false });
}

function isKnownTo(wait: Wait, found: Found): boolean {
  if (found.active !== null) return wait.isKnown(activeVersion(found.active.journey, found.active.location));
  return found.outcome.kind === 'live' && wait.isKnown(found.outcome.version);
}

function mayWatch(caller: Caller, parties: { trainerId: string | null; studentId: string | null }): boolean {
  switch (caller.role) {
    case 'admin':
      return true;
    case 'trainer':
      return parties.trainerId === caller.userId;
    case 'student':
      return parties.studentId === caller.userId;
  }
}

/** The entry `@admin-service/client/expo`. It imports no Expo package: the app passes the modules. */
import { Emitter } from '../emitter.js';
import { JourneyApiError } from '../journey-api-error.js';
import type { JourneyApi } from '../journey-api.js';
import type { PhonePosition } from '../position.js';
import type { StartOptions, TrackedJourney } from '../tracker-events.js';
import { TrainerTracker } from '../trainer-tracker.js';
import type {
  ExpoBattery,
  ExpoLocation,
  ExpoTaskBody,
  ExpoTaskManager,
  PersistentStorage,
  ReactNativeAppState,
  TrackingNotification,
} from './expo-modules.js';
import {
  askForLocation,
  findLocationProblem,
  isBlocking,
  LocationProblemError,
  trainerProblems,
  type LocationProblem,
} from './location-problem.js';

export { LocationProblemError, type LocationProblem };
export type * from './expo-modules.js';

export interface JourneyTrackingOptions {
  api: JourneyApi;
  location: ExpoLocation;
  taskManager: ExpoTaskManager;
  storage: PersistentStorage;
  appState: ReactNativeAppState;
  notification: TrackingNotification;
  /** expo-battery: recognises a battery saver as the reason of no fix. */
  battery?: ExpoBattery | undefined;
}

/** What the trainer's app shows; the same object until the next event `change`. */
export interface JourneyTrackingState {
  /** The session that is tracked, or was until it ended. */
  sessionId: string | null;
  tracker: TrainerTracker | null;
  problem: LocationProblem | null;
}

/** Names that stay the same in later versions, because the phone stores both. */
const TASK = 'admin-service-journey';
const SESSION_KEY = 'admin-service-journey';
const START_TIMEOUT_MS = 60_000;
/** The service shows less accurate positions, but neither judges them nor lets the trainer arrive with them. */
const COARSE_METERS = 100;
const nothing: JourneyTrackingState = { sessionId: null, tracker: null, problem: null };

/** Call it once, at module level of a file that the app's entry imports: it defines the background task. */
export function createJourneyTracking(options: JourneyTrackingOptions): JourneyTracking {
  return new JourneyTracking(options);
}

/** Tracks one journey at a time, also in the background and after a restart of the app. */
export class JourneyTracking extends Emitter<{ change: JourneyTrackingState }> {
  readonly #options: JourneyTrackingOptions;
  #current = nothing;
  #restoring: Promise<TrainerTracker | null> | undefined;
  #lastWork: Promise<unknown> = Promise.resolve();

  constructor(options: JourneyTrackingOptions) {
    super(options.api.clock);
    this.#options = options;
    options.taskManager.defineTask(TASK, (body) => this.#receive(body));
    options.appState.addEventListener('change', (state) => {
      if (state === 'active') void this.check().catch(() => undefined);
    });
  }

  get current(): JourneyTrackingState {
    return this.#current;
  }

  /**
   * Asks for permissions, starts the journey or joins an active one, and starts location updates. Where it fails, nothing is
   * stored and no updates run; it may be called again.
   * @throws LocationProblemError, JourneyApiError (DEADLINE_EXCEEDED after a minute by default), errors of the modules
   */
  async start(sessionId: string, options: StartOptions = {}): Promise<TrackedJourney> {
    const problem = await askForLocation(this.#options.location);
    this.#show({ problem });
    if (problem && isBlocking(problem)) throw new LocationProblemError(problem);
    const tracker = this.#follow(sessionId);
    try {
      const journey = await tracker.start({ timeoutMs: START_TIMEOUT_MS, ...options });
      await this.#inOrder(async () => {
        if (this.#current.tracker !== tracker) throw new JourneyApiError(0, 'ABORTED', 'Signed out.');
        await this.#options.storage.setItem(SESSION_KEY, sessionId);
        await this.#startUpdates();
      });
      return journey;
    } catch (error) {
      if (this.#current.tracker === tracker) await this.signOut();
      throw error;
    }
  }

  /**
   * Call it when the app has started: joins the journey from before a restart, and never starts one. Null: there is none.
   * @throws JourneyApiError; without a network the session stays stored, and each position tries again
   */
  async resume(options: StartOptions = {}): Promise<TrackedJourney | null> {
    const tracker = await this.#tracker();
    if (tracker === null || tracker.state === 'ended') return null;
    const journey = await this.#join(tracker, options);
    if (journey === null) return null;
    // Where it fails, the check finds the reason, and a later one starts them.
    await this.#inOrder(() => this.#startUpdates()).catch(() => undefined);
    await this.check();
    return journey;
  }

  /** Finds the reason why no position comes, and reports it. Called whenever the app becomes active. */
  async check(): Promise<LocationProblem | null> {
    const { location, battery } = this.#options;
    const found = await findLocationProblem(location);
    const { tracker, problem: before } = this.#current;
    const reported = tracker?.tracked.problem ?? null;
    let problem = found;
    if (!isBlocking(found) && reported !== null && !isBlocking(before)) {
      problem = (await battery?.isLowPowerModeEnabledAsync()) ? 'lowPower' : 'noFix';
    }
    const shown = problem && trainerProblems[problem];
    this.#show({ problem });
    if (tracker === null || !isActive(tracker)) return problem;
    if (shown !== reported) tracker.report(shown);
    if (isBlocking(before) && !isBlocking(problem)) await this.#inOrder(() => this.#startUpdates());
    return problem;
  }

  /** Stops location updates, closes the tracker and forgets the session; the journey itself stays as it is. */
  async signOut(): Promise<void> {
    await this.#restoring?.catch(() => undefined);
    const { tracker } = this.#current;
    this.#show(nothing);
    tracker?.close();
    await this.#inOrder(() => this.#release());
  }

  async #receive({ data, error }: ExpoTaskBody): Promise<void> {
    const tracker = await this.#tracker();
    if (tracker === null) return this.#inOrder(() => this.#release());
    const { locations = [] } = (data ?? {}) as { locations?: PhonePosition[] };
    const joining = tracker.state === 'idle' ? this.#join(tracker, {}) : undefined;
    const pushing = tracker.push(locations);
    const isPrecise = locations.some(({ coords }) => (coords.accuracy ?? 0) <= COARSE_METERS);
    const checking = error || !isPrecise ? this.check() : undefined;
    // The system lets the app run until this settles.
    await Promise.allSettled([joining, pushing, checking]);
  }

  async #tracker(): Promise<TrainerTracker | null> {
    if (this.#current.tracker) return this.#current.tracker;
    return (this.#restoring ??= this.#restore().finally(() => {
      this.#restoring = undefined;
    }));
  }

  async #restore(): Promise<TrainerTracker | null> {
    const sessionId = await this.#inOrder(() => this.#options.storage.getItem(SESSION_KEY));
    if (this.#current.tracker) return this.#current.tracker;
    return sessionId === null ? null : this.#follow(sessionId);
  }

  #follow(sessionId: string): TrainerTracker {
    const { tracker: previous } = this.#current;
    if (previous && this.#current.sessionId === sessionId && isActive(previous)) return previous;
    const tracker = new TrainerTracker({ api: this.#options.api, sessionId });
    tracker.on('problem', (problem) => {
      if (problem === null || problem === 'noFix') void this.check().catch(() => undefined);
    });
    tracker.on('ended', () => {
      void this.#forget(tracker).catch(() => undefined);
    });
    this.#show({ sessionId, tracker });
    previous?.close();
    return tracker;
  }

  async #join(tracker: TrainerTracker, options: StartOptions): Promise<TrackedJourney | null> {
    try {
      const journey = await tracker.resume({ timeoutMs: START_TIMEOUT_MS, ...options });
      if (journey === null) await this.#forget(tracker);
      return journey;
    } catch (thrown) {
      const { code } = thrown as JourneyApiError;
      if (code !== 'DEADLINE_EXCEEDED' && code !== 'ABORTED') await this.#forget(tracker);
      throw thrown;
    }
  }

  /** Unless another journey has begun. */
  async #forget(tracker: TrainerTracker): Promise<void> {
    if (this.#current.tracker !== tracker) return;
    if (tracker.state !== 'ended') this.#show(nothing);
    await this.#inOrder(() => this.#release());
  }

  async #startUpdates(): Promise<void> {
    const { location, notification } = this.#options;
    await location.startLocationUpdatesAsync(TASK, {
      accuracy: location.Accuracy.High,
      timeInterval: 5_000,
      // With a distance filter a phone that stands would be taken for one without GPS.
      distanceInterval: 0,
      pausesUpdatesAutomatically: false,
      showsBackgroundLocationIndicator: true,
      foregroundService: notification,
    });
  }

  async #release(): Promise<void> {
    const { location, storage } = this.#options;
    try {
      // Stopping a task that is not registered is an error.
      if (await location.hasStartedLocationUpdatesAsync(TASK)) await location.stopLocationUpdatesAsync(TASK);
    } finally {
      await storage.removeItem(SESSION_KEY);
    }
  }

  /** So that the end of a journey never stops the updates of the next one. */
  #inOrder<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#lastWork.then(work, work);
    this.#lastWork = result.catch(() => undefined);
    return result;
  }

  #show(changes: Partial<JourneyTrackingState>): void {
    const before = this.#current;
    const after = { ...before, ...changes };
    if ((Object.keys(changes) as (keyof typeof after)[]).every((name) => after[name] === before[name]))
      return;
    this.#current = after;
    this.emit('change', after);
  }
}

function isActive({ state }: TrainerTracker): boolean {
  return state === 'starting' || state === 'tracking' || state === 'reconnecting';
}

import { JourneyApi, TrainerTracker, type EndedBecause } from '../../client/index.js';
import type { ErrorCode } from '../../contract/errors.js';
import type { JourneyPlan } from '../simulation/journey-plan.js';
import { between, type Range } from '../simulation/random.js';
import type { CallKind } from './answer-check.js';
import { phoneFetch, type PhoneCall } from './phone-network.js';
import type { JourneyEnd } from './recorder.js';
import type { LoadSession } from './sessions.js';
import { Student, type JourneyDependencies, type SentUpdate } from './student.js';

/** How often a phone's receiver gives a fix. */
const fixEveryMs = 1_000;
/** How long after the first position at the door the trainer presses "arrived". */
const tapMs: Range = [300, 1_500];
/** After an update that took longer, positions may reach the service closer together than they were made. */
const lateMs = 500;
const lateForMs = 20_000;
const rememberedUpdates = 16;

/** A trainer who drives to a student, with the SDK of the apps, and the student who may watch. */
export class Journey {
  readonly #session: LoadSession;
  readonly #plan: JourneyPlan;
  readonly #with: JourneyDependencies;
  readonly #api: JourneyApi;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #updates = new Map<number, SentUpdate>();
  #tracker: TrainerTracker | undefined;
  #student: Student | undefined;
  #state: 'starting' | 'driving' | 'ending' | 'over' = 'starting';
  #isStopped = false;
  #beganMs = 0;
  #intervalMs = fixEveryMs;
  #atDoorSinceMs = Infinity;
  #lastSentAtMs = 0;
  #overAtMs = Infinity;
  #lateUntilMs = 0;

  constructor(session: LoadSession, plan: JourneyPlan, dependencies: JourneyDependencies) {
    this.#session = session;
    this.#plan = plan;
    this.#with = dependencies;
    const { url, pool, recorder, random } = dependencies;
    const fetch = phoneFetch({
      dispatcher: pool,
      mayWait: false,
      sessionId: session.sessionId,
      recorder,
      expects: (kind, code) => this.#expects(kind, code),
      sending: (call) => {
        this.#sending(call);
      },
      answered: ({ kind, sentAtMs }) => {
        const nowMs = performance.now();
        if (kind === 'update' && nowMs - sentAtMs > lateMs) this.#lateUntilMs = nowMs + lateForMs;
      },
    });
    const getToken = () => session.trainerToken;
    this.#api = new JourneyApi({ baseUrl: url.origin, getToken, fetch, random });
  }

  /** Resolves when the student does not look any more. */
  get watched(): Promise<void> {
    return this.#student?.left ?? Promise.resolve();
  }

  /** @param drivenMs how much of the drive is done when the journey starts */
  async run(drivenMs: number, startAnswered: () => void): Promise<JourneyEnd> {
    const tracker = await this.#start();
    startAnswered();
    if (tracker === undefined) return 'neverStarted';
    const { recorder } = this.#with;
    recorder.journeys.started += 1;
    recorder.journeys.active += 1;
    const ended = new Promise<EndedBecause>((resolve) => {
      tracker.on('ended', ({ reason }) => {
        resolve(reason);
      });
    });
    this.#drive(tracker, drivenMs);
    this.#watch();
    const reason = await ended;
    this.#over();
    recorder.journeys.active -= 1;
    if (reason === 'arrived') return 'arrived';
    if (reason === 'cancelled') return this.#isStopped ? 'stoppedAtEnd' : 'cancelled';
    return reason === 'closed' ? 'left' : 'lost';
  }

  /** Cancels the journey because the run ends. */
  stop(): void {
    this.#isStopped = true;
    this.#student?.leave();
    if (this.#state !== 'ending') this.#end((tracker) => tracker.stop());
  }

  /** Leaves the journey as it is, and ends both apps. */
  leave(): void {
    this.#isStopped = true;
    this.#student?.leave();
    this.#tracker?.close();
  }

  async #start(): Promise<TrainerTracker | undefined> {
    while (!this.#isStopped) {
      const tracker = new TrainerTracker({ api: this.#api, sessionId: this.#session.sessionId });
      this.#tracker = tracker;
      try {
        const { wasRunning } = await tracker.start();
        if (!wasRunning) return tracker;
        await tracker.stop();
      } catch {
        tracker.close();
        return undefined;
      }
    }
    return undefined;
  }

  #drive(tracker: TrainerTracker, drivenMs: number): void {
    const { cancelAfterMs } = this.#plan;
    if (this.#state === 'starting') this.#state = 'driving';
    this.#beganMs = performance.now() - drivenMs;
    tracker.on('sent', ({ nextUpdateMs }) => {
      this.#intervalMs = nextUpdateMs;
      if (this.#atDoorSinceMs > this.#lastSentAtMs) return;
      this.#after(between(tapMs, this.#with.random), () => {
        this.#end((each) => each.arrived());
      });
    });
    if (cancelAfterMs !== undefined) {
      this.#after(cancelAfterMs - drivenMs, () => {
        this.#end((each) => each.stop());
      });
    }
    this.#after(this.#with.random() * fixEveryMs, () => {
      this.#pushFixes(tracker);
    });
  }

  /** A position each second, or at the service's interval where that is shorter; none in a tunnel. */
  #pushFixes(tracker: TrainerTracker): void {
    const { drive, cancelAfterMs } = this.#plan;
    const nowMs = performance.now();
    const drivenMs = nowMs - this.#beganMs;
    if (drivenMs >= drive.durationMs && cancelAfterMs === undefined) {
      this.#atDoorSinceMs = Math.min(this.#atDoorSinceMs, nowMs);
    }
    const { fix, ageMs } = drive.latestFixAt(Math.min(drivenMs, drive.durationMs));
    if (ageMs === 0) void tracker.push({ coords: fix });
    this.#after(Math.min(fixEveryMs, this.#intervalMs), () => {
      this.#pushFixes(tracker);
    });
  }

  /** By an arrival, or by a stop where that is refused. */
  #end(call: (tracker: TrainerTracker) => Promise<unknown>): void {
    const tracker = this.#tracker;
    if (tracker === undefined || this.#state === 'ending' || this.#state === 'over') return;
    if (this.#state === 'driving') this.#state = 'ending';
    call(tracker).catch(() => {
      if (tracker.state !== 'ended') void tracker.stop();
    });
  }

  #watch(): void {
    this.#student = new Student(
      this.#session,
      {
        isDriving: () => this.#state === 'driving',
        overAtMs: () => this.#overAtMs,
        arrivesAtMs: () =>
          this.#plan.cancelAfterMs === undefined ? this.#beganMs + this.#plan.drive.durationMs : undefined,
        update: (sequence) => this.#updates.get(sequence),
      },
      this.#with,
    );
  }

  #expects(kind: CallKind, code: ErrorCode): boolean {
    if (code === 'JOURNEY_ALREADY_ACTIVE') return kind === 'start' && this.#session.mayBeActive;
    if (code === 'JOURNEY_NOT_ACTIVE') return kind === 'stop' && this.#state === 'starting';
    if (code === 'JOURNEY_ENDED') return kind === 'update' && this.#state !== 'driving';
    const isOfLateness = code === 'LOCATION_STALE' || code === 'LOCATION_IMPLAUSIBLE';
    return isOfLateness && performance.now() < this.#lateUntilMs;
  }

  #sending({ kind, sentAtMs, body }: PhoneCall): void {
    if (kind !== 'update' || body === undefined) return;
    const { sequence, ageMs } = JSON.parse(body) as { sequence: number; ageMs?: number };
    // A heartbeat in a tunnel.
    if (ageMs === undefined) return;
    this.#lastSentAtMs = sentAtMs;
    this.#updates.set(sequence, { sentAtMs, fixAtMs: sentAtMs - ageMs });
    this.#updates.delete(sequence - rememberedUpdates);
  }

  #over(): void {
    this.#state = 'over';
    this.#overAtMs = performance.now();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #after(ms: number, work: () => void): void {
    if (this.#state === 'over') return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }
}

import type { JourneyArrived } from './contract.js';
import { withinDeadline } from './deadline.js';
import { joinRunning, startOrJoin, stopOrEnded, type Joined, type StoppedJourney } from './joining.js';
import { endOf, verdictOf, type Ended, type JourneyApiError } from './journey-api-error.js';
import type { JourneyApi, RepeatableOptions } from './journey-api.js';
import type { PhonePosition } from './position.js';
import { StartAttempt } from './start-attempt.js';
import { TrackedEmitter } from './tracked.js';
import type { Silence, StartOptions, TrackedJourney, TrackerCall, TrackerOptions } from './tracker-events.js';
import { TrackerRun } from './tracker-run.js';
import { handled, untilAnswered } from './until-answered.js';
import type { PushOutcome, SenderOptions, Sent } from './update.js';

/** How long an arrival waits for the position before it. */
const DRAIN_MS = 10_000;

/** Sends the trainer's position from the start of a journey to its end. One instance per session. */
export class TrainerTracker extends TrackedEmitter {
  readonly #api: JourneyApi;
  readonly #sessionId: string;
  readonly #options: TrackerOptions;
  #run: TrackerRun;
  /** Since the end, or since a start that began nothing. */
  #isOver = false;
  #starting: Promise<TrackedJourney> | undefined;
  #resuming: Promise<TrackedJourney | null> | undefined;
  #arriving: Promise<JourneyArrived> | undefined;
  #stopping: Promise<StoppedJourney> | undefined;

  constructor(options: TrackerOptions) {
    super(options.api.clock);
    this.#options = options;
    this.#api = options.api;
    this.#sessionId = options.sessionId;
    this.#run = this.#newRun();
  }

  /**
   * Starts the journey, or joins an active one; retries until it is answered. After the end it starts the next journey.
   * @throws JourneyApiError when it is refused, ABORTED, or DEADLINE_EXCEEDED after timeoutMs; it may be called again
   */
  start(options: StartOptions = {}): Promise<TrackedJourney> {
    if (this.#starting) return this.#starting;
    const starting = (this.#starting = this.#start(options));
    starting.catch(() => {
      if (this.#starting === starting) this.#starting = undefined;
    });
    return starting;
  }

  /**
   * Joins an active journey after a restart of the app, and never starts one. Null: the session has no active journey.
   * @throws JourneyApiError as start() does
   */
  resume(options: StartOptions = {}): Promise<TrackedJourney | null> {
    return this.#starting ?? (this.#resuming ??= handled(this.#resume(options)));
  }

  /**
   * Takes each position of the phone, or a batch; only the newest is sent. Resolves when it was sent, dropped or superseded,
   * for a background task to await. Never throws or rejects: the event `dropped` reports what is invalid or refused.
   */
  async push(positions: PhonePosition | readonly PhonePosition[]): Promise<PushOutcome> {
    const isOver = this.#isOver || this.#stopping !== undefined;
    const batch = ([] as PhonePosition[]).concat(isOver ? [] : positions);
    const outcomes = await Promise.all(batch.map((position) => this.#run.sender.offer(position)));
    return (['sent', 'dropped', 'superseded'] as const).find((each) => outcomes.includes(each)) ?? 'dropped';
  }

  /**
   * Why the phone gives no position; the student is shown it until the next position. Null: no reason any more.
   * `still` needs a position that was sent since the start, else it counts as noFix.
   */
  report(silence: Silence | null): void {
    this.#run.sender.report(silence);
  }

  /**
   * Sends the position that waits, and then ends the journey at the student's home.
   * @throws JourneyApiError; after NOT_AT_DESTINATION and LOCATION_UNKNOWN tracking goes on
   */
  arrived(): Promise<JourneyArrived> {
    return (this.#arriving ??= handled(this.#arrive()));
  }

  /** Cancels the journey, unless it has ended. No position is sent any more, whatever the answer. @throws JourneyApiError */
  stop(): Promise<StoppedJourney> {
    return (this.#stopping ??= handled(this.#stop()));
  }

  /** Ends tracking on this phone and leaves the journey as it is; start() and resume() join it again. */
  close(): void {
    this.#end({ reason: 'closed' });
  }

  async #start(options: StartOptions): Promise<TrackedJourney> {
    const resumed = this.#resuming && (await this.#resuming.catch(() => null));
    return resumed ?? this.#begin('start', options, (call) => startOrJoin(this.#api, this.#sessionId, call));
  }

  async #resume(options: StartOptions): Promise<TrackedJourney | null> {
    try {
      return await this.#begin('resume', options, (call) => joinRunning(this.#api, this.#sessionId, call));
    } finally {
      this.#resuming = undefined;
    }
  }

  async #begin<Journey extends Joined | null>(
    call: 'start' | 'resume',
    options: StartOptions,
    make: (options: RepeatableOptions) => Promise<Journey>,
  ): Promise<Journey> {
    const run = this.#run;
    const attempt = (run.attempt = new StartAttempt(this.#api.clock, options));
    this.#stopping = undefined;
    this.#isOver = false;
    this.show({ state: 'starting', lastSent: null, lastError: null, ended: null });
    try {
      const journey = await attempt.run((signal, retries) => this.#call(call, make, signal, retries));
      if (journey) {
        this.#starting ??= Promise.resolve(journey);
        this.show({ state: 'tracking' });
        run.begin(journey);
      } else this.#beganNothing(run);
      return journey;
    } catch (error) {
      if (run === this.#run) this.#beganNothing(run);
      throw error;
    }
  }

  #beganNothing(run: TrackerRun): void {
    run.sender.close();
    this.#isOver = true;
    this.show({ state: 'idle', problem: null });
  }

  async #arrive(): Promise<JourneyArrived> {
    const run = this.#run;
    const { signal } = run.over;
    try {
      await withinDeadline(this.#api.clock, DRAIN_MS, signal, run.sender.drained).catch(() => undefined);
      const answer = await this.#call('arrived', (call) => this.#api.arrived(this.#sessionId, call), signal);
      run.hasBegun = true;
      this.#end({ reason: 'arrived' });
      return answer;
    } finally {
      this.#arriving = undefined;
    }
  }

  async #stop(): Promise<StoppedJourney> {
    const sessionId = this.#sessionId;
    const over = ['arrived', 'cancelled', 'timeout'];
    if (over.includes(String(this.tracked.ended?.reason))) return { sessionId, stoppedAt: null };
    this.#run.sender.close();
    this.#run.attempt?.stopRetrying();
    try {
      // A start in flight could reach the service after the stop.
      await this.#starting?.catch(() => undefined);
      const run = this.#run;
      const { signal } = run.over;
      const stopped = await this.#call('stop', (call) => stopOrEnded(this.#api, sessionId, call), signal);
      run.hasBegun ||= stopped.reason === 'cancelled';
      this.#end({ reason: stopped.reason });
      return { sessionId, stoppedAt: stopped.stoppedAt };
    } catch (error) {
      this.#stopping = undefined;
      throw error;
    }
  }

  /** Repeats a call until it is answered, and emits retries and a refusal. */
  async #call<Answer>(
    call: Exclude<TrackerCall, 'update'>,
    make: (options: RepeatableOptions) => Promise<Answer>,
    signal: AbortSignal,
    giveUp = signal,
  ): Promise<Answer> {
    const retrying = (error: JourneyApiError, inMs: number) => {
      this.show({ lastError: error });
      this.emit('retrying', { call, error, inMs });
    };
    try {
      return await untilAnswered(this.#api, (key) => make({ idempotencyKey: key, signal }), giveUp, retrying);
    } catch (thrown) {
      const error = thrown as JourneyApiError;
      if (error.code === 'ABORTED') throw error;
      this.show({ lastError: error });
      this.emit('refused', { call, error });
      if (call === 'stop' || (call === 'arrived' && verdictOf(error) === 'end')) this.#end(endOf(error));
      throw error;
    }
  }

  #posted(sent: Sent): void {
    const { position } = sent;
    const { problem } = this.#run.sender;
    if (sent.recorded !== undefined) {
      this.#run.seenTime(sent.recorded.timestamp);
      const recorded = { ...sent.recorded, sequence: sent.sequence };
      this.show({ state: 'tracking', problem, lastError: null, ...(position && { lastSent: recorded }) });
      if (position) this.emit('sent', recorded);
      return;
    }
    const { error, inMs } = sent;
    const verdict = verdictOf(error);
    const isRetried = verdict === 'retry';
    this.show({
      problem,
      ...((isRetried || error.status > 0) && { state: isRetried ? 'reconnecting' : 'tracking' }),
      // A heartbeat that is refused concerns nobody.
      ...((isRetried || position) && { lastError: error }),
    });
    if (inMs !== undefined) this.emit('retrying', { call: 'update', error, inMs });
    else if (verdict === 'end') {
      // The arrival or stop in flight says how the journey ended.
      if (!this.#arriving && !this.#stopping) this.#end(endOf(error));
    } else if (position) this.emit('dropped', { position, error });
  }

  #newRun(): TrackerRun {
    const sender: SenderOptions = {
      ...this.#options,
      onSent: (sent) => {
        this.#posted(sent);
      },
      onSilence: () => {
        if (!this.#isOver) this.show({ problem: this.#run.sender.problem });
      },
    };
    return new TrackerRun(sender, () => {
      this.#end({ reason: 'timeout' });
    });
  }

  #end(ended: Ended): void {
    if (this.state === 'ended') return;
    const run = this.#run;
    run.end();
    this.#run = this.#newRun();
    this.#starting = this.#resuming = undefined;
    this.#isOver = true;
    if (run.hasBegun) {
      this.show({ state: 'ended', problem: null, ended });
      this.emit('ended', ended);
    } else this.show({ state: 'idle', problem: null });
  }
}

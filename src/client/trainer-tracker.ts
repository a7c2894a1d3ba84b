import type { JourneyArrived, JourneyStopped, PositionRecorded } from '../contract/responses.js';
import { Emitter } from './emitter.js';
import { endOf, verdictOf, type Ended, type JourneyApiError } from './journey-api-error.js';
import type { JourneyApi, RepeatableOptions } from './journey-api.js';
import { journeyLimit, type JourneyLimit } from './journey-limit.js';
import type { PhonePosition } from './position.js';
import { PositionSender, type Sent } from './position-sender.js';
import { untilAnswered } from './until-answered.js';

export type TrackerState = 'idle' | 'starting' | 'tracking' | 'reconnecting' | 'ended';
export type TrackerCall = 'start' | 'update' | 'arrived' | 'stop';

export interface TrackerEvents {
  state: TrackerState;
  /** The service has taken a position. */
  sent: PositionRecorded & { sequence: number };
  /** A position that is not sent again: it was not valid, or the service refused it. */
  dropped: { position: PhonePosition; error: JourneyApiError };
  /** A call was refused for good; the promise that it gave is rejected with the same. */
  refused: { call: TrackerCall; error: JourneyApiError };
  /** It is tried again in so many milliseconds, as long as the journey can be on. */
  retrying: { call: TrackerCall; error: JourneyApiError; inMs: number };
  /** The last event. */
  ended: Ended;
}

export interface TrackedJourney {
  startedAt: string;
  expiresAt: string;
  /** The journey was running already: started before the app was restarted, or on another phone. */
  wasRunning: boolean;
}

/** Tells the service where the trainer is, from the start of a journey to its end. One for each journey. */
export class TrainerTracker extends Emitter<TrackerEvents> {
  readonly #api: JourneyApi;
  readonly #sessionId: string;
  readonly #over = new AbortController();
  /** The start is not tried again. */
  readonly #startIsOver = new AbortController();
  readonly #sender: PositionSender;
  readonly #limit: JourneyLimit;
  readonly #stopListening: () => void;
  #state: TrackerState = 'idle';
  #starting: Promise<TrackedJourney> | undefined;
  #arriving: Promise<JourneyArrived> | undefined;
  #stopping: Promise<JourneyStopped> | undefined;
  #expiresAt = '';

  constructor({ api, sessionId }: { api: JourneyApi; sessionId: string }) {
    super(api.clock);
    this.#api = api;
    this.#sessionId = sessionId;
    this.#sender = new PositionSender(api, sessionId, this.#over.signal, (sent) => {
      this.#posted(sent);
    });
    this.#limit = journeyLimit(api.clock, () => {
      this.#end({ reason: 'timeout' });
    });
    this.#stopListening = api.whenOnline(() => {
      this.#sender.backOnline();
    });
  }

  get state(): TrackerState {
    return this.#state;
  }

  /**
   * Starts the journey, or goes on with one that runs; tries until it has an answer or is closed or stopped.
   * @throws JourneyApiError where it is refused; after a 400 it may be called again
   */
  start(): Promise<TrackedJourney> {
    return (this.#starting ??= handled(this.#start()));
  }

  /**
   * The newest position, as often as the phone has one; before the start it waits. Never throws, for a throw in a
   * background task is seen by nobody: a position that is not valid comes back as the event `dropped`.
   */
  push(position: PhonePosition): void {
    if (this.#state === 'ended' || this.#stopping !== undefined) return;
    try {
      this.#sender.offer(position);
    } catch (error) {
      this.emit('dropped', { position, error: error as JourneyApiError });
    }
  }

  /** @throws JourneyApiError NOT_AT_DESTINATION or LOCATION_UNKNOWN, and goes on tracking; or what else refused it */
  arrived(): Promise<JourneyArrived> {
    return (this.#arriving ??= handled(this.#arrive()));
  }

  /** Cancels the journey. From now on no position is sent, whatever the answer. @throws JourneyApiError */
  stop(): Promise<JourneyStopped> {
    return (this.#stopping ??= handled(this.#stop()));
  }

  /** Ends the tracking here and leaves the journey as it is. */
  close(): void {
    this.#end({ reason: 'closed' });
  }

  async #start(): Promise<TrackedJourney> {
    this.#setState('starting');
    try {
      const journey = await this.#call('start', (options) => this.#startOrJoin(options));
      const { startedAt, expiresAt, nextUpdateMs } = journey;
      this.#setState('tracking');
      // By the service's times alone; of a journey that ran already this is the latest that it can end.
      this.#expiresAt = expiresAt;
      this.#limit.told(expiresAt, startedAt);
      if (this.#stopping === undefined) this.#sender.begin(nextUpdateMs);
      return { startedAt, expiresAt, wasRunning: nextUpdateMs === null };
    } catch (error) {
      this.#starting = undefined;
      this.#setState('idle');
      throw error;
    }
  }

  async #startOrJoin(
    options: RepeatableOptions,
  ): Promise<{ startedAt: string; expiresAt: string; nextUpdateMs: number | null }> {
    try {
      return await this.#api.start(this.#sessionId, options);
    } catch (error) {
      const { code, details } = error as JourneyApiError;
      if (code !== 'JOURNEY_ALREADY_ACTIVE') throw error;
      return { ...(details as { startedAt: string; expiresAt: string }), nextUpdateMs: null };
    }
  }

  async #arrive(): Promise<JourneyArrived> {
    try {
      const answer = await this.#call('arrived', (options) => this.#api.arrived(this.#sessionId, options));
      this.#end({ reason: 'arrived' });
      return answer;
    } finally {
      this.#arriving = undefined;
    }
  }

  async #stop(): Promise<JourneyStopped> {
    this.#sender.close();
    this.#startIsOver.abort();
    // A start that is on its way could otherwise come after the stop.
    await this.#starting?.catch(() => undefined);
    const answer = await this.#call('stop', (options) => this.#api.stop(this.#sessionId, options));
    this.#end({ reason: 'cancelled' });
    return answer;
  }

  /** Until it has an answer; tells what came in between, and a refusal. */
  async #call<Answer>(
    call: 'start' | 'arrived' | 'stop',
    make: (options: RepeatableOptions) => Promise<Answer>,
  ): Promise<Answer> {
    const { signal } = this.#over;
    const giveUp = call === 'start' ? this.#startIsOver.signal : signal;
    try {
      return await untilAnswered(
        this.#api,
        (idempotencyKey) => make({ idempotencyKey, signal }),
        giveUp,
        (error, inMs) => {
          this.emit('retrying', { call, error, inMs });
        },
      );
    } catch (thrown) {
      const error = thrown as JourneyApiError;
      if (error.code !== 'ABORTED') {
        this.emit('refused', { call, error });
        if (call === 'stop' || verdictOf(error) === 'end') this.#end(endOf(error));
      }
      throw error;
    }
  }

  #posted(sent: Sent): void {
    if (sent.recorded !== undefined) {
      this.#limit.told(this.#expiresAt, sent.recorded.timestamp);
      this.#setState('tracking');
      this.emit('sent', { ...sent.recorded, sequence: sent.sequence });
      return;
    }
    const { position, error, inMs } = sent;
    this.#setState(inMs === undefined ? 'tracking' : 'reconnecting');
    if (inMs !== undefined) this.emit('retrying', { call: 'update', error, inMs });
    else if (verdictOf(error) !== 'end') this.emit('dropped', { position, error });
    // The arrival or the stop that is on its way knows better how the journey ended.
    else if (this.#arriving === undefined && this.#stopping === undefined) this.#end(endOf(error));
  }

  #setState(state: TrackerState): void {
    if (this.#state === state || this.#state === 'ended') return;
    this.#state = state;
    this.emit('state', state);
  }

  #end(ended: Ended): void {
    if (this.#state === 'ended') return;
    this.#sender.close();
    this.#stopListening();
    this.#limit.cancel();
    this.#startIsOver.abort();
    this.#over.abort();
    this.#setState('ended');
    this.emit('ended', ended);
  }
}

/** Whoever awaits it sees it fail; who does not has the events, and no unhandled rejection. */
function handled<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => undefined);
  return promise;
}

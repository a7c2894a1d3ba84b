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
  /** The service has accepted a position. */
  sent: PositionRecorded & { sequence: number };
  /** A position that is not sent again, because it was invalid or refused. */
  dropped: { position: PhonePosition; error: JourneyApiError };
  /** A call was refused and is not repeated; its promise is rejected with the same error. */
  refused: { call: TrackerCall; error: JourneyApiError };
  /** The call is repeated in that many milliseconds. */
  retrying: { call: TrackerCall; error: JourneyApiError; inMs: number };
  /** The last event. */
  ended: Ended;
}

export interface TrackedJourney {
  startedAt: string;
  expiresAt: string;
  /** The journey was active already: from before a restart of the app, or started on another phone. */
  wasRunning: boolean;
}

/** Sends the trainer's position from the start of a journey to its end. One instance per journey. */
export class TrainerTracker extends Emitter<TrackerEvents> {
  readonly #api: JourneyApi;
  readonly #sessionId: string;
  readonly #over = new AbortController();
  /** Aborts retries of the start. */
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
   * Starts the journey, or joins an active one; retries until it is answered, closed or stopped.
   * @throws JourneyApiError when it is refused; after a 400 it may be called again
   */
  start(): Promise<TrackedJourney> {
    return (this.#starting ??= handled(this.#start()));
  }

  /**
   * Takes each position of the phone; only the newest is sent. Never throws, because nobody sees an error in a background
   * task: an invalid position is reported by the event `dropped`.
   */
  push(position: PhonePosition): void {
    if (this.#state === 'ended' || this.#stopping !== undefined) return;
    try {
      this.#sender.offer(position);
    } catch (error) {
      this.emit('dropped', { position, error: error as JourneyApiError });
    }
  }

  /** @throws JourneyApiError; after NOT_AT_DESTINATION and LOCATION_UNKNOWN tracking goes on */
  arrived(): Promise<JourneyArrived> {
    return (this.#arriving ??= handled(this.#arrive()));
  }

  /** Cancels the journey. No position is sent any more, whatever the answer. @throws JourneyApiError */
  stop(): Promise<JourneyStopped> {
    return (this.#stopping ??= handled(this.#stop()));
  }

  /** Ends tracking on this phone and leaves the journey as it is. */
  close(): void {
    this.#end({ reason: 'closed' });
  }

  async #start(): Promise<TrackedJourney> {
    this.#setState('starting');
    try {
      const journey = await this.#call('start', (options) => this.#startOrJoin(options));
      const { startedAt, expiresAt, nextUpdateMs } = journey;
      this.#setState('tracking');
      // By the service's clock; a joined journey can only end earlier.
      this.#expiresAt = expiresAt;
      this.#limit.update(expiresAt, startedAt);
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
    // A start in flight could reach the service after the stop.
    await this.#starting?.catch(() => undefined);
    const answer = await this.#call('stop', (options) => this.#api.stop(this.#sessionId, options));
    this.#end({ reason: 'cancelled' });
    return answer;
  }

  /** Repeats a call until it is answered, and emits retries and a refusal. */
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
      this.#limit.update(this.#expiresAt, sent.recorded.timestamp);
      this.#setState('tracking');
      this.emit('sent', { ...sent.recorded, sequence: sent.sequence });
      return;
    }
    const { position, error, inMs } = sent;
    this.#setState(inMs === undefined ? 'tracking' : 'reconnecting');
    if (inMs !== undefined) this.emit('retrying', { call: 'update', error, inMs });
    else if (verdictOf(error) !== 'end') this.emit('dropped', { position, error });
    // The arrival or stop in flight says how the journey ended.
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

/** Without an unhandled rejection for callers that rely on the events. */
function handled<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => undefined);
  return promise;
}

import type { PositionRecorded, TrainerProblem } from './contract.js';
import type { Joined } from './joining.js';
import type { Ended, JourneyApiError } from './journey-api-error.js';
import type { CallOptions, JourneyApi } from './journey-api.js';
import type { PhonePosition } from './position.js';

export type TrackerState = 'idle' | 'starting' | 'tracking' | 'reconnecting' | 'ended';
/** Why the phone gives no position. still: it has not moved since the last one. */
export type Silence = 'still' | TrainerProblem;

export type TrackerCall = 'start' | 'resume' | 'update' | 'arrived' | 'stop';

/** What the trainer's app shows; the same object until the next event `change`. */
export interface Tracked {
  state: TrackerState;
  /** Why the student sees no new position, also without a network. Null without a problem, and while standing still. */
  problem: TrainerProblem | null;
  /** The last position that the service accepted since the start. */
  lastSent: (PositionRecorded & { sequence: number }) | null;
  /** Of the last call that failed or was refused; null again after the next accepted update. */
  lastError: JourneyApiError | null;
  /** Why the journey that began ended; null before, and after the next start. */
  ended: Ended | null;
}

export interface TrackerEvents {
  /** One of the values is another. */
  change: Tracked;
  state: TrackerState;
  /** Why the student sees no new position; null: solved. */
  problem: TrainerProblem | null;
  /** The service has accepted a position. */
  sent: PositionRecorded & { sequence: number };
  /** A position that is not sent again, because it was invalid, too old or refused. */
  dropped: { position: PhonePosition; error: JourneyApiError };
  /** A call was refused and is not repeated; its promise is rejected with the same error. */
  refused: { call: TrackerCall; error: JourneyApiError };
  /** The call is repeated in that many milliseconds. */
  retrying: { call: TrackerCall; error: JourneyApiError; inMs: number };
  /** The last event of a journey that has begun. */
  ended: Ended;
}

export interface TrackerOptions {
  api: JourneyApi;
  sessionId: string;
  /**
   * What it means that no position comes for three intervals; 'still' only where the app's distance filter is why.
   * Default: noFix.
   */
  silenceMeans?: Silence | undefined;
}

export interface StartOptions extends CallOptions {
  /** Gives up after that many milliseconds, with DEADLINE_EXCEEDED. Default: never. */
  timeoutMs?: number | undefined;
}

export type TrackedJourney = Pick<Joined, 'startedAt' | 'expiresAt' | 'wasRunning'>;

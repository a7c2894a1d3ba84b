import type { PositionRecorded, TrainerProblem } from './contract.js';
import type { JourneyApiError } from './journey-api-error.js';
import type { PhonePosition, Reading } from './position.js';
import type { TrackerOptions } from './tracker-events.js';

/** What became of a pushed position. superseded: a newer one took its place. */
export type PushOutcome = 'sent' | 'dropped' | 'superseded';

/** A position that was pushed, or a heartbeat. */
export interface Update {
  /** Undefined: a heartbeat. */
  position?: PhonePosition | undefined;
  reading: Reading | { still: true } | { problem: TrainerProblem };
  outcome: Promise<PushOutcome>;
  settle: (outcome: PushOutcome) => void;
  /** When it was measured, by the monotonic clock. */
  fixAtMs: number;
  /** Assigned at the first try, so that the service recognises a repeat. */
  sequence?: number;
  isRepaired?: boolean;
}

/**
 * The outcome of a request. position: undefined for a heartbeat. inMs: the position, or a newer one, is sent again in that
 * many milliseconds.
 */
export type Sent =
  | { position: PhonePosition | undefined; recorded: PositionRecorded; sequence: number }
  | { position: PhonePosition | undefined; recorded?: undefined; error: JourneyApiError; inMs?: number };

export interface SenderOptions extends TrackerOptions {
  onSent: (sent: Sent) => void;
  /** The problem may be another. */
  onSilence: () => void;
}

export function updateOf(reading: Update['reading'], position?: PhonePosition): Update {
  let settle: Update['settle'] = () => undefined;
  const outcome = new Promise<PushOutcome>((resolve) => {
    settle = resolve;
  });
  return { position, reading, outcome, settle, fixAtMs: NaN };
}

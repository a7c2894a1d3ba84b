import type { TrainerProblem } from './contract.js';
import type { PhonePosition, Reading } from './position.js';

/** What became of a pushed position. superseded: a newer one took its place. */
export type PushOutcome = 'sent' | 'dropped' | 'superseded';

/** Why the phone gives no position. still: it has not moved since the last one. */
export type Silence = 'still' | TrainerProblem;

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

export function updateOf(reading: Update['reading'], position?: PhonePosition): Update {
  let settle: Update['settle'] = () => undefined;
  const outcome = new Promise<PushOutcome>((resolve) => {
    settle = resolve;
  });
  return { position, reading, outcome, settle, fixAtMs: NaN };
}

import { longMeters, planJourney, shortMeters, type JourneyPlan } from '../simulation/journey-plan.js';
import type { Random, Range } from '../simulation/random.js';
import type { LoadSession } from './sessions.js';

export interface PlannedJourney {
  plan: JourneyPlan;
  /** How much of the drive is done when the journey starts. */
  drivenMs: number;
}

/** What the journeys of a fleet are like. */
export interface FleetStyle {
  /** @param turn counts a trainer's journeys from 0 */
  plan(session: LoadSession, trainer: number, turn: number, random: Random): PlannedJourney;
  /** Between two journeys of a trainer. */
  pauseMs: Range;
}

/** Not just the very end of a drive is left. */
const mostDriven = 0.98;

/** For measuring: the first journeys start somewhere on the way, so that arrivals are spread from the beginning. */
export const steadyLoad: FleetStyle = {
  plan({ home, streetAngle }, _trainer, turn, random) {
    const plan = planJourney(home, streetAngle, longMeters, random);
    const lastsMs = plan.cancelAfterMs ?? plan.drive.durationMs;
    return { plan, drivenMs: turn === 0 ? random() * mostDriven * lastsMs : 0 };
  },
  pauseMs: [0, 0],
};

/** For people who watch: whole journeys, some so short that an arrival is seen within two minutes. */
export const demonstration: FleetStyle = {
  plan({ home, streetAngle }, trainer, turn, random) {
    const isShort = turn === 0 ? trainer % 2 === 0 : random() < 0.4;
    const plan = planJourney(home, streetAngle, isShort ? shortMeters : longMeters, random);
    const isFirst = trainer + turn === 0;
    return { plan: isFirst ? { ...plan, cancelAfterMs: undefined } : plan, drivenMs: 0 };
  },
  pauseMs: [4_000, 12_000],
};

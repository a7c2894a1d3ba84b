import type { EndedBecause, TrainerProblem, Watched } from '../../../../client/index.js';
import { ago, distance, duration, minutesBetween } from './wording.js';

/** What the student's app says. */
export interface StudentScreen {
  title: string;
  detail: string;
  /** How many stages are reached: started, on the way, nearby, arrived. Null: there is no journey. */
  stage: 0 | 1 | 2 | 3 | 4 | null;
  tone: 'calm' | 'warn' | 'bad' | 'done';
}

const AT_THE_DOOR_METERS = 100;
const AT_THE_DOOR_SECONDS = 60;
const NEARBY_METERS = 500;
const STANDS_FROM_SECONDS = 30;
const LATE_FROM_MINUTES = 2;

const reasons: Record<TrainerProblem, (who: string) => string> = {
  noFix: (who) => `${who}’s phone has no GPS.`,
  permission: (who) => `${who}’s phone does not share its position.`,
  reducedAccuracy: (who) => `${who}’s phone shares only an approximate position.`,
  lowPower: (who) => `${who}’s phone is saving battery.`,
};

/** @param lateMinutes later than first promised */
export function studentScreen(watched: Watched, who: string, lateMinutes: number): StudentScreen {
  const { state, position, journey, ageMs, trainerProblem } = watched;
  const stage = stageOf(watched);
  const screen = (title: string, detail: string, tone: StudentScreen['tone'] = 'calm') => ({
    ...{ title, detail, stage, tone },
  });
  if (watched.ended) return endScreen(watched.ended.reason, who);
  if (state === 'reconnecting') {
    const last = position ? `${who} was here ${ago(ageMs ?? 0)}. ` : '';
    return screen('You are offline', `${last}Connecting again …`, 'bad');
  }
  if (journey?.isActive !== true) {
    return screen(`${who} has not left yet`, 'You will see the way here as soon as the journey starts.');
  }
  if (position === null) {
    const why = trainerProblem ? ` ${reasons[trainerProblem](who)}` : '';
    return screen(`${who} is on the way`, `Waiting for the first position.${why}`, why ? 'warn' : 'calm');
  }
  const age = duration(ageMs ?? 0);
  if (trainerProblem)
    return screen(arrival(watched, who), `No update for ${age}. ${reasons[trainerProblem](who)}`, 'warn');
  if (state === 'stale') {
    return screen(arrival(watched, who), `No update for ${age}. ${who} may have no signal.`, 'bad');
  }
  if (state === 'delayed') return screen(arrival(watched, who), `Position is ${age} old.`, 'warn');
  if (lateMinutes >= LATE_FROM_MINUTES) {
    return screen(arrival(watched, who), `Running about ${lateMinutes} min late.`, 'warn');
  }
  return screen(arrival(watched, who), progress(watched, who));
}

function stageOf({ position, journey }: Watched): StudentScreen['stage'] {
  if (journey?.isActive !== true) return null;
  if (position === null) return 1;
  return (journey.distanceMeters ?? Infinity) <= NEARBY_METERS ? 3 : 2;
}

function arrival({ etaLowSeconds, etaHighSeconds, journey }: Watched, who: string): string {
  const meters = journey?.distanceMeters ?? Infinity;
  if (etaLowSeconds === null || etaHighSeconds === null) return `${who} is on the way`;
  if (meters <= AT_THE_DOOR_METERS || etaHighSeconds <= AT_THE_DOOR_SECONDS) return 'Arriving now';
  return `Arriving in ${minutesBetween(etaLowSeconds, etaHighSeconds)}`;
}

function progress({ journey, stillSeconds, etaSeconds }: Watched, who: string): string {
  const meters = journey?.distanceMeters ?? null;
  const far = meters === null ? '' : `, ${distance(meters)} away`;
  if ((stillSeconds ?? 0) >= STANDS_FROM_SECONDS) {
    return `${who} has been standing for ${duration((stillSeconds ?? 0) * 1_000)}${far}.`;
  }
  if (etaSeconds === null)
    return `${meters === null ? '' : `${distance(meters)} away. `}The arrival time follows soon.`;
  return meters !== null && meters <= NEARBY_METERS
    ? `${who} is nearby${far}.`
    : `${who} is on the way${far}.`;
}

function endScreen(reason: EndedBecause, who: string): StudentScreen {
  if (reason === 'arrived') {
    return { title: `${who} has arrived`, detail: 'Have a good lesson!', stage: 4, tone: 'done' };
  }
  const bad = (title: string, detail: string) => ({ title, detail, stage: null, tone: 'bad' as const });
  if (reason === 'cancelled') return bad('Journey cancelled', `${who} is not coming this time.`);
  if (reason === 'timeout') return bad(`${who} did not arrive`, 'The journey ended after an hour.');
  return bad('The journey cannot be shown', 'Please sign in again.');
}

/** How much later than first promised the trainer arrives. */
export function minutesLate(
  promisedMs: number | undefined,
  nowMs: number,
  etaLowSeconds: number | null,
): number {
  if (promisedMs === undefined || etaLowSeconds === null) return 0;
  return Math.max(0, Math.round((nowMs + etaLowSeconds * 1_000 - promisedMs) / 60_000));
}

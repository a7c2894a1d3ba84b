import type { FleetJourney } from '../../../../contract/fleet.js';

/** As on the map: the colour and the word of a journey's state. */
export interface JourneyState {
  state: 'live' | 'delayed' | 'stale' | 'waiting' | 'ended';
  text: string;
}

type Seen = Pick<FleetJourney, 'freshness' | 'trainerProblem'>;

const problems = {
  noFix: 'No GPS',
  permission: 'No permission',
  reducedAccuracy: 'Rough position',
  lowPower: 'Battery saver',
} satisfies Record<NonNullable<FleetJourney['trainerProblem']>, string>;

const words = { live: 'Live', delayed: 'Delayed', stale: 'Stale' };

export function journeyState({ freshness, trainerProblem }: Seen): JourneyState {
  if (trainerProblem) return { state: 'stale', text: problems[trainerProblem] };
  return freshness === null
    ? { state: 'waiting', text: 'No position yet' }
    : { state: freshness, text: words[freshness] };
}

/** The worst is 0. */
export function rankOf(journey: Seen): number {
  return ['stale', 'waiting', 'delayed', 'live'].indexOf(journeyState(journey).state);
}

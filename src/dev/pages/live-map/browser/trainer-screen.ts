import type { EndedBecause, JourneyApiError, Tracked, TrainerProblem } from '../../../../client/index.js';
import { distance } from './wording.js';

/** What the trainer's app says. */
export interface TrainerScreen {
  title: string;
  detail: string;
  tone: 'calm' | 'good' | 'warn' | 'bad' | 'done';
}

const problems: Record<TrainerProblem, [title: string, detail: string]> = {
  noFix: ['Your student can’t see you: no GPS', 'Go outdoors, or turn location on.'],
  permission: ['Your student can’t see you: no permission', 'Allow the location in the settings.'],
  reducedAccuracy: ['Your student sees you only roughly', 'Allow the precise location in the settings.'],
  lowPower: ['Your student can’t see you: battery saver', 'Turn the battery saver off.'],
};

const ends: Partial<Record<EndedBecause, string>> = {
  arrived: 'You have arrived',
  cancelled: 'Journey cancelled',
  timeout: 'The journey ended after an hour',
  closed: 'Another tab drives this phone',
};

export function trainerScreen(
  { state, problem, lastError, ended }: Tracked,
  trip: { isDriving: boolean; isThere: boolean },
): TrainerScreen {
  switch (state) {
    case 'idle':
      return { title: 'Ready to leave?', detail: 'Press Start journey, then Drive.', tone: 'calm' };
    case 'starting':
      return { title: 'Starting …', detail: '', tone: 'calm' };
    case 'ended':
      return {
        title: ends[ended?.reason ?? 'closed'] ?? 'The journey is over',
        detail: 'Start journey begins the next one.',
        tone: 'done',
      };
    case 'reconnecting':
      return {
        title: 'You are offline',
        detail: 'Your student sees your last position. Connecting again …',
        tone: 'bad',
      };
    case 'tracking':
      break;
  }
  if (problem) {
    const [title, detail] = problems[problem];
    return { title, detail, tone: 'bad' };
  }
  if (lastError?.code === 'LOCATION_IMPLAUSIBLE') {
    const detail = 'This position is too far from the last one. It is accepted if it lasts.';
    return { title: 'Your student can’t see you: GPS jumps', detail, tone: 'warn' };
  }
  const detail = trip.isThere
    ? 'You are at the home. Press I have arrived.'
    : trip.isDriving
      ? 'Your position is shared until you arrive.'
      : 'You are standing still. Press Drive.';
  return { title: 'Your student sees you', detail, tone: 'good' };
}

const advice: Record<string, string> = {
  NOT_AT_DESTINATION: 'Drive closer first.',
  LOCATION_UNKNOWN: 'Your position is not known yet. Wait for the GPS, or cancel the journey.',
  SESSION_NOT_STARTABLE: 'This session is over or was cancelled. Choose another one.',
  FORBIDDEN: 'You do not have access to this session.',
  JOURNEY_NOT_ACTIVE: 'Start the journey first.',
  JOURNEY_ENDED: 'The journey is over.',
  LOCATION_IMPLAUSIBLE: '',
  NETWORK_ERROR: 'No connection.',
  STATE_UNAVAILABLE: 'The service is unavailable.',
};

/** An error as the user reads it. */
export function inWords({ code, message, details }: JourneyApiError): string {
  const meters = (details as { distance?: unknown } | undefined)?.distance;
  const far = typeof meters === 'number' ? `You are still ${distance(meters)} away. ` : '';
  return far + (advice[code] ?? message);
}

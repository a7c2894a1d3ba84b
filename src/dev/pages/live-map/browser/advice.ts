import type { JourneyApiError } from '../../../../client/index.js';

/** What the user can do. */
const advice: Record<string, string> = {
  NOT_AT_DESTINATION: 'Drive closer to the home first.',
  LOCATION_UNKNOWN: 'Switch the GPS on and wait for a position, or cancel the journey.',
  LOCATION_IMPLAUSIBLE: 'The position is too far from the last one; later ones are accepted again.',
  SESSION_NOT_STARTABLE: 'This session is over or was cancelled; choose another one.',
  FORBIDDEN: 'You do not have access to this session.',
  JOURNEY_NOT_ACTIVE: 'Start the journey first.',
  JOURNEY_ENDED: 'The journey is over; start a new one.',
  NETWORK_ERROR: 'Restore the network.',
  STATE_UNAVAILABLE: 'The service is unavailable; the call is repeated.',
};

export function inWords({ code, message, details }: JourneyApiError): string {
  const distance = (details as { distance?: unknown } | undefined)?.distance;
  const far = typeof distance === 'number' ? ` (${distance} m away)` : '';
  return `${code}${far}: ${advice[code] ?? message}`;
}

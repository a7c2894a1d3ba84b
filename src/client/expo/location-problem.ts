import type { TrainerProblem } from '../contract.js';
import type { ExpoLocation } from './expo-modules.js';

/**
 * Why tracking does not work, or not fully. denied: ask again; deniedForever: only the phone's settings help;
 * backgroundDenied: on iOS it works until the system ends the app; locationOff: GPS is off for all apps; noFix: no reason is
 * known; lowPower: no fix, and the battery saver is on.
 */
export type LocationProblem =
  'denied' | 'deniedForever' | 'reducedAccuracy' | 'locationOff' | 'backgroundDenied' | 'noFix' | 'lowPower';

/** What the student is shown. */
export const trainerProblems = {
  denied: 'permission',
  deniedForever: 'permission',
  reducedAccuracy: 'reducedAccuracy',
  locationOff: 'noFix',
  backgroundDenied: null,
  noFix: 'noFix',
  lowPower: 'lowPower',
} satisfies Record<LocationProblem, TrainerProblem | null>;

/** A journey cannot be tracked on this phone now, so none was started. */
export class LocationProblemError extends Error {
  override readonly name = 'LocationProblemError';

  constructor(readonly problem: LocationProblem) {
    super(`Location is not available: ${problem}.`);
  }
}

/** No usable position can come until the user changes something. */
export function isBlocking(problem: LocationProblem | null): boolean {
  return ['denied', 'deniedForever', 'reducedAccuracy', 'locationOff'].includes(String(problem));
}

export async function askForLocation(location: ExpoLocation): Promise<LocationProblem | null> {
  const permission = await location.requestForegroundPermissionsAsync();
  // Android needs none for a foreground service; iOS needs it to start the app again for a position.
  if (permission.granted && permission.ios) await location.requestBackgroundPermissionsAsync();
  return findLocationProblem(location);
}

export async function findLocationProblem(location: ExpoLocation): Promise<LocationProblem | null> {
  // First, because iOS reports every permission as denied while it is off.
  if (!(await location.hasServicesEnabledAsync())) return 'locationOff';
  const { granted, canAskAgain, ios, android } = await location.getForegroundPermissionsAsync();
  if (!granted) return canAskAgain ? 'denied' : 'deniedForever';
  if (ios?.accuracy === 'reduced' || android?.accuracy === 'coarse') return 'reducedAccuracy';
  if (ios && !(await location.getBackgroundPermissionsAsync()).granted) return 'backgroundDenied';
  return null;
}

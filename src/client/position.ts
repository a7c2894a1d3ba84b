import type { HeartbeatBody, PositionUpdateBody } from './contract.js';
import { JourneyApiError } from './journey-api-error.js';

/**
 * A position as expo-location and the browser's Geolocation give it: degrees, metres, metres per second, degrees clockwise
 * from north. Unknown values are null, negative, NaN or absent.
 */
export interface PhonePosition {
  readonly coords: {
    readonly latitude: number;
    readonly longitude: number;
    readonly accuracy?: number | null | undefined;
    readonly speed?: number | null | undefined;
    readonly heading?: number | null | undefined;
  };
  /** When it was measured, in milliseconds since 1970, by the phone's clock. */
  readonly timestamp?: number | undefined;
  /** Android: the position is simulated. */
  readonly mocked?: boolean | undefined;
}

export type Reading = Pick<
  PositionUpdateBody,
  'latitude' | 'longitude' | 'accuracy' | 'speed' | 'heading' | 'mocked'
>;

type Check = [path: string, isFine: boolean, mustBe: string];

const measurements = ['accuracy', 'speed', 'heading'] as const;

/** @throws JourneyApiError VALIDATION_FAILED that names each invalid field */
export function readingOf(position: PhonePosition): Reading {
  // Positions come from native code, whatever the types say.
  const coords = ((position as PhonePosition | null)?.coords ?? {}) as PhonePosition['coords'];
  const isFix = coords.latitude !== 0 || coords.longitude !== 0;
  refuse([...placeChecks(coords, 'coords.'), ['coords', isFix, 'a fix, not 0,0']]);
  const reading: Reading = { latitude: coords.latitude, longitude: coords.longitude };
  for (const name of measurements) {
    const value = coords[name] ?? NaN;
    if (value >= 0 && value < Infinity && (name !== 'heading' || value <= 360)) reading[name] = value;
  }
  if (position.mocked === true) reading.mocked = true;
  return reading;
}

/** The service checks the rest. @throws JourneyApiError VALIDATION_FAILED that names each invalid field */
export function checkUpdate(update: PositionUpdateBody | HeartbeatBody): void {
  refuse([idCheck(update.sessionId), ...('latitude' in update ? placeChecks(update, '') : [])]);
}

/** @throws JourneyApiError VALIDATION_FAILED */
export function checkSessionId(sessionId: string): void {
  refuse([idCheck(sessionId)]);
}

function idCheck(sessionId: string): Check {
  return ['sessionId', /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(sessionId), 'a UUID'];
}

function placeChecks(place: Pick<Reading, 'latitude' | 'longitude'>, prefix: string): Check[] {
  return [
    degreesCheck(`${prefix}latitude`, place.latitude, 90),
    degreesCheck(`${prefix}longitude`, place.longitude, 180),
  ];
}

function degreesCheck(path: string, degrees: unknown, limit: number): Check {
  return [path, typeof degrees === 'number' && Math.abs(degrees) <= limit, `from -${limit} to ${limit}`];
}

/** Names the field but not its value: coordinates must not get into logs. */
function refuse(checks: Check[]): void {
  const problems = checks
    .filter(([, isFine]) => !isFine)
    .map(([path, , mustBe]) => ({ path, message: `must be ${mustBe}` }));
  if (problems.length === 0) return;
  const text = problems.map(({ path, message }) => `${path} ${message}`).join('; ');
  throw new JourneyApiError(0, 'VALIDATION_FAILED', text, problems);
}

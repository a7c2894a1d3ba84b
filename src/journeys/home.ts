import type { Home } from './journey.js';

/** Number() would also take '', '0x1f' and 'Infinity'. */
const DECIMAL = /^\s*[+-]?\d+(?:\.\d+)?\s*$/;

/** A home as the platform or another version wrote it: numbers may be text, and the names short. Null: unreadable. */
export function parseHome(value: unknown): Home | null {
  if (typeof value !== 'object' || value === null) return null;
  const home = value as Record<string, unknown>;
  const latitude = degrees(home['latitude'] ?? home['lat'], 90);
  const longitude = degrees(home['longitude'] ?? home['lng'] ?? home['lon'], 180);
  if (latitude === null || longitude === null) return null;
  const { address } = home;
  return { latitude, longitude, ...(typeof address === 'string' ? { address } : {}) };
}

function degrees(value: unknown, limit: number): number | null {
  const number = typeof value === 'string' && DECIMAL.test(value) ? Number(value) : value;
  return typeof number === 'number' && Math.abs(number) <= limit ? number : null;
}

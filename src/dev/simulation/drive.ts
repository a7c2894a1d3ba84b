import { planMotion } from './motion.js';
import { Path } from './path.js';
import type { GeoPoint } from './places.js';
import { onEarth, onPlane } from './plane.js';
import { between, type Random, type Range } from './random.js';
import { Receiver } from './receiver.js';

/** What a phone's receiver says: metres, metres per second, degrees clockwise from north. */
export interface Fix extends GeoPoint {
  accuracy: number;
  speed: number;
  heading: number;
}

/** The latest fix that a phone has, and for how long it has got no other. */
export interface LatestFix {
  fix: Fix;
  ageMs: number;
}

/** Where there is no GPS. Some phones post nothing meanwhile, others the last fix again and again. */
export interface Tunnel {
  fromMs: number;
  toMs: number;
  phone: 'silent' | 'repeating';
}

/** A drive along a route, as the phone on board sees it. All of it is worked out when asked for. */
export interface Drive {
  durationMs: number;
  tunnel: Tunnel | undefined;
  /** What a receiver under the open sky says at a time since the drive began; after the end, what it says there. */
  fixAt(elapsedMs: number): Fix;
  /** The latest fix at that time: in a tunnel the one from before it, older and older. */
  latestFixAt(elapsedMs: number): LatestFix;
}

const shareOfTunnels = 0.3;
const shareOfSilentPhones = 0.5;
const shortestWithTunnelMs = 150_000;
const tunnelMs: Range = [20_000, 75_000];
const tunnelBegins: Range = [0.25, 0.5];

/** A drive at 15 to 45 km/h with red lights, parking and maybe a tunnel, seen with a receiver's wandering error. */
export function planDrive(route: readonly GeoPoint[], random: Random): Drive {
  const origin = route[0];
  if (origin === undefined) throw new Error('A route has at least one point.');
  const path = new Path(route.map((point) => onPlane(origin, point)));
  const motion = planMotion(path.legMeters, random);
  const durationMs = motion.durationSeconds * 1_000;
  const tunnel = planTunnel(durationMs, random);
  const receiver = new Receiver(random() * 0x1_0000_0000);

  const fixAt = (elapsedMs: number): Fix => {
    const seconds = elapsedMs / 1_000;
    const { meters, speed } = motion.at(seconds);
    const place = path.placeAt(meters);
    const error = receiver.errorAt(seconds);
    const point = onEarth(origin, { east: place.east + error.east, north: place.north + error.north });
    const blur = 1 + receiver.jitterAt(seconds, 'accuracy');
    return {
      latitude: round(point.latitude, 1e7),
      longitude: round(point.longitude, 1e7),
      accuracy: round(4 + Math.hypot(error.east, error.north) + blur, 10),
      speed: round(Math.max(0, speed + 0.3 * receiver.jitterAt(seconds, 'speed')), 100),
      heading: round((place.heading + 3 * receiver.jitterAt(seconds, 'heading') + 360) % 360, 10),
    };
  };
  const latestFixAt = (elapsedMs: number): LatestFix => {
    const isHidden = tunnel !== undefined && elapsedMs > tunnel.fromMs && elapsedMs < tunnel.toMs;
    const seenMs = isHidden ? tunnel.fromMs : elapsedMs;
    return { fix: fixAt(seenMs), ageMs: Math.round(elapsedMs - seenMs) };
  };
  return { durationMs, tunnel, fixAt, latestFixAt };
}

function planTunnel(durationMs: number, random: Random): Tunnel | undefined {
  const [isThere, begins, lasts] = [random() < shareOfTunnels, between(tunnelBegins, random), random()];
  const phone = random() < shareOfSilentPhones ? 'silent' : 'repeating';
  if (!isThere || durationMs < shortestWithTunnelMs) return undefined;
  const fromMs = begins * durationMs;
  return { fromMs, toMs: fromMs + between(tunnelMs, () => lasts), phone };
}

function round(value: number, parts: number): number {
  return Math.round(value * parts) / parts;
}

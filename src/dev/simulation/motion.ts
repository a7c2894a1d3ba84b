import { between, type Random, type Range } from './random.js';

/** How far along its way something is, and how fast, at one time. */
export interface Progress {
  meters: number;
  speed: number;
}

/** Along a line, in phases of constant acceleration; one that stands has neither speed nor acceleration. */
export interface Motion {
  durationSeconds: number;
  at(seconds: number): Progress;
}

const kmh = 1 / 3.6;
const cruiseSpeed: Range = [26 * kmh, 44 * kmh];
const cornerSpeed = 16 * kmh;
const acceleration = 1.4;
const shareOfRedLights = 0.45;
const redLightSeconds: Range = [8, 35];
const parkingSeconds: Range = [8, 22];
const walkMeters: Range = [12, 40];
const walkSpeed: Range = [1.2, 1.6];

/** By car through streets, stopping at some of the corners; then it is parked, and the last metres are walked. */
export function planMotion(legMeters: readonly number[], random: Random): Motion {
  const phases = new Phases();
  const total = legMeters.reduce((sum, meters) => sum + meters, 0);
  const walk = Math.min(between(walkMeters, random), total / 2);
  const driven = withoutLast(walk, legMeters);
  let entry = 0;
  driven.forEach((meters, leg) => {
    const next = driven[leg + 1];
    const isRed = next !== undefined && random() < shareOfRedLights;
    // Never faster around a corner than the brakes can take back before the end of the next leg.
    const exit = next === undefined || isRed ? 0 : Math.min(cornerSpeed, reachable(0, next));
    const exitSpeed = Math.min(exit, reachable(entry, meters));
    phases.driveLeg(meters, entry, exitSpeed, between(cruiseSpeed, random));
    if (isRed) phases.stand(between(redLightSeconds, random));
    entry = exitSpeed;
  });
  phases.stand(between(parkingSeconds, random));
  const pace = between(walkSpeed, random);
  phases.move(walk, pace, pace);
  return phases.toMotion();
}

/** The legs, less this much at the end. */
function withoutLast(meters: number, legMeters: readonly number[]): number[] {
  const legs = [...legMeters];
  let left = meters;
  for (let last = legs.pop(); last !== undefined; last = legs.pop()) {
    if (last > left) return [...legs, last - left];
    left -= last;
  }
  return legs;
}

function reachable(speed: number, meters: number): number {
  return Math.sqrt(speed ** 2 + 2 * acceleration * meters);
}

interface Phase extends Progress {
  /** When it begins. */
  seconds: number;
  /** Of the speed, in m/s². */
  rate: number;
}

class Phases {
  readonly #phases: Phase[] = [];
  #seconds = 0;
  #meters = 0;

  stand(seconds: number): void {
    this.#phases.push({ seconds: this.#seconds, meters: this.#meters, speed: 0, rate: 0 });
    this.#seconds += seconds;
  }

  move(meters: number, fromSpeed: number, toSpeed: number): void {
    if (meters <= 0) return;
    const rate = (toSpeed ** 2 - fromSpeed ** 2) / (2 * meters);
    this.#phases.push({ seconds: this.#seconds, meters: this.#meters, speed: fromSpeed, rate });
    this.#seconds += (2 * meters) / (fromSpeed + toSpeed);
    this.#meters += meters;
  }

  /** Speeds up as far as the leg allows, keeps that speed, and brakes in time. */
  driveLeg(meters: number, entry: number, exit: number, cruise: number): void {
    const highest = Math.sqrt(acceleration * meters + (entry ** 2 + exit ** 2) / 2);
    const peak = Math.max(entry, exit, Math.min(cruise, highest));
    const speedingUp = (peak ** 2 - entry ** 2) / (2 * acceleration);
    const braking = (peak ** 2 - exit ** 2) / (2 * acceleration);
    this.move(speedingUp, entry, peak);
    this.move(meters - speedingUp - braking, peak, peak);
    this.move(braking, peak, exit);
  }

  toMotion(): Motion {
    const [phases, durationSeconds] = [this.#phases, this.#seconds];
    return { durationSeconds, at: (seconds) => progressAt(phases, durationSeconds, seconds) };
  }
}

function progressAt(phases: readonly Phase[], durationSeconds: number, seconds: number): Progress {
  const time = Math.min(Math.max(seconds, 0), durationSeconds);
  const phase = phases.findLast((each) => each.seconds <= time);
  if (phase === undefined) return { meters: 0, speed: 0 };
  const elapsed = time - phase.seconds;
  const meters = phase.meters + elapsed * (phase.speed + (phase.rate * elapsed) / 2);
  const isAtTheEnd = time >= durationSeconds;
  return { meters, speed: isAtTheEnd ? 0 : Math.max(0, phase.speed + phase.rate * elapsed) };
}

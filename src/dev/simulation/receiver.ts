import type { Plane } from './plane.js';
import { scramble } from './random.js';

/** A slow drift and a quick one, as the error of a phone's receiver has them. */
const drifts = [
  { meters: 5, everySeconds: 25 },
  { meters: 1.2, everySeconds: 4 },
] as const;
const channels = { east: 1, north: 2, accuracy: 3, speed: 4, heading: 5 } as const;

/** The errors of a phone's GPS receiver: they wander, they do not jump about, and are worked out when asked for. */
export class Receiver {
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  errorAt(seconds: number): Plane {
    return { east: this.#drift(channels.east, seconds), north: this.#drift(channels.north, seconds) };
  }

  /** From -1 to 1, new each second. */
  jitterAt(seconds: number, channel: 'accuracy' | 'speed' | 'heading'): number {
    return this.#draw(channels[channel], Math.floor(seconds));
  }

  /** Random values at fixed distances in time, and a smooth way from each to the next. */
  #drift(channel: number, seconds: number): number {
    return drifts.reduce((sum, { meters, everySeconds }, index) => {
      const at = seconds / everySeconds;
      const step = Math.floor(at);
      const share = at - step;
      const smooth = share * share * (3 - 2 * share);
      const from = this.#draw(channel + 8 * index, step);
      const to = this.#draw(channel + 8 * index, step + 1);
      return sum + meters * (from + (to - from) * smooth);
    }, 0);
  }

  #draw(channel: number, step: number): number {
    return scramble(this.#seed ^ scramble(channel * 0x1000003 + step)) / 0x8000_0000;
  }
}

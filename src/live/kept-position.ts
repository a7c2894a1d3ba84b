import type { LiveLocation } from '../journeys/journey.js';

/** Where each number stands. */
enum At {
  latitude,
  longitude,
  accuracy,
  speed,
  heading,
  sequence,
  timestampMs,
  fixMs,
  nextUpdateMs,
  stillSeconds,
  closingSpeed,
  pace,
  unsteadiness,
  watchedSeconds,
  referenceLatitude,
  referenceLongitude,
  referenceFixMs,
}

/**
 * A place for the last position of a journey, each written over the one before. As it is read, a position is 16 objects,
 * and what has been told is kept until there is news: the positions of 20,000 journeys were a fifth of what V8 had to
 * collect together with the whole heap. Numbers alone, NaN where there is none, are written in place.
 */
export class KeptPosition {
  readonly #numbers = Array.from({ length: At.referenceFixMs + 1 }, () => NaN);

  /** NaN: there is none. */
  get timestampMs(): number {
    return this.#at(At.timestampMs);
  }

  /** Null: there is none any more. */
  write(location: LiveLocation | null): void {
    const numbers = this.#numbers;
    numbers[At.latitude] = location?.latitude ?? NaN;
    numbers[At.longitude] = location?.longitude ?? NaN;
    numbers[At.accuracy] = location?.accuracy ?? NaN;
    numbers[At.speed] = location?.speed ?? NaN;
    numbers[At.heading] = location?.heading ?? NaN;
    numbers[At.sequence] = location?.sequence ?? NaN;
    numbers[At.timestampMs] = location?.timestampMs ?? NaN;
    numbers[At.fixMs] = location?.fixMs ?? NaN;
    numbers[At.nextUpdateMs] = location?.nextUpdateMs ?? NaN;
    numbers[At.stillSeconds] = location?.stillSeconds ?? NaN;
    const approach = location?.approach;
    numbers[At.closingSpeed] = approach?.closingSpeed ?? NaN;
    numbers[At.pace] = approach?.pace ?? NaN;
    numbers[At.unsteadiness] = approach?.unsteadiness ?? NaN;
    numbers[At.watchedSeconds] = approach?.watchedSeconds ?? NaN;
    const reference = approach?.reference;
    numbers[At.referenceLatitude] = reference?.latitude ?? NaN;
    numbers[At.referenceLongitude] = reference?.longitude ?? NaN;
    numbers[At.referenceFixMs] = reference?.fixMs ?? NaN;
  }

  read(): LiveLocation | null {
    if (Number.isNaN(this.timestampMs)) return null;
    return {
      latitude: this.#at(At.latitude),
      longitude: this.#at(At.longitude),
      accuracy: this.#atOrNone(At.accuracy),
      speed: this.#atOrNone(At.speed),
      heading: this.#atOrNone(At.heading),
      sequence: this.#atOrNone(At.sequence),
      timestampMs: this.#at(At.timestampMs),
      fixMs: this.#at(At.fixMs),
      nextUpdateMs: this.#atOrNone(At.nextUpdateMs),
      stillSeconds: this.#atOrNone(At.stillSeconds),
      approach: this.#readApproach(),
    };
  }

  #readApproach(): LiveLocation['approach'] {
    const closingSpeed = this.#atOrNone(At.closingSpeed);
    if (closingSpeed === undefined) return undefined;
    return {
      reference: this.#readReference(),
      closingSpeed,
      pace: this.#at(At.pace),
      unsteadiness: this.#at(At.unsteadiness),
      watchedSeconds: this.#at(At.watchedSeconds),
    };
  }

  #readReference(): NonNullable<LiveLocation['approach']>['reference'] {
    const fixMs = this.#atOrNone(At.referenceFixMs);
    if (fixMs === undefined) return undefined;
    return { latitude: this.#at(At.referenceLatitude), longitude: this.#at(At.referenceLongitude), fixMs };
  }

  #at(index: At): number {
    return this.#numbers[index] ?? NaN;
  }

  #atOrNone(index: At): number | undefined {
    const number = this.#at(index);
    return Number.isNaN(number) ? undefined : number;
  }
}

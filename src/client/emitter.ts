import type { Clock } from './clock.js';

/** Emits events to listeners, each with one value. */
export class Emitter<Events extends object> {
  readonly #clock: Clock;
  readonly #listeners: { [Name in keyof Events]?: Set<(event: Events[Name]) => void> } = {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls the listener with each such event; the returned function unsubscribes. */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    const listeners = (this.#listeners[name] ??= new Set());
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  protected emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const listener of this.#listeners[name] ?? []) {
      try {
        listener(event);
      } catch (error) {
        // The app sees its listener's error, but tracking goes on.
        this.#clock.after(0, () => {
          throw error;
        });
      }
    }
  }
}

import type { Clock } from './clock.js';

/** Tells listeners of events, each with one value. */
export class Emitter<Events extends object> {
  readonly #clock: Clock;
  readonly #listeners: { [Name in keyof Events]?: Set<(event: Events[Name]) => void> } = {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls the listener with each such event from now on. The function returned ends that. */
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
        // A listener's mistake is the app's to see, and must not end the tracking.
        this.#clock.after(0, () => {
          throw error;
        });
      }
    }
  }
}

import { Emitter } from './emitter.js';
import type { Tracked, TrackerEvents, TrackerState } from './tracker-events.js';

export const nothingTracked: Tracked = {
  state: 'idle',
  problem: null,
  lastSent: null,
  lastError: null,
  ended: null,
};

/** Emits what changes. */
export class TrackedEmitter extends Emitter<TrackerEvents> {
  #tracked = nothingTracked;

  get tracked(): Tracked {
    return this.#tracked;
  }

  get state(): TrackerState {
    return this.#tracked.state;
  }

  protected show(changes: Partial<Tracked>): void {
    const before = this.#tracked;
    const after = { ...before, ...changes };
    const isOther = (name: keyof Tracked) => after[name] !== before[name];
    if (!(Object.keys(changes) as (keyof Tracked)[]).some(isOther)) return;
    this.#tracked = after;
    if (isOther('state')) this.emit('state', after.state);
    if (isOther('problem')) this.emit('problem', after.problem);
    this.emit('change', after);
  }
}

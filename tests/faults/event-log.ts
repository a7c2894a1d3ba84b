import type { LocalEventBus } from '../../src/dev/event-bus/local-event-bus.js';

/** Identifies a journey's event by what its answer says. */
export function startOf(sessionId: string, startedAt: string): string {
  return `TrainerJourneyStarted ${sessionId} ${startedAt}`;
}

export function endOf(sessionId: string, endedAt: string): string {
  return `TrainerJourneyEnded ${sessionId} ${endedAt}`;
}

interface Arrivals {
  ids: Set<unknown>;
  count: number;
  /** The fault during which it arrived first. */
  during: string;
}

/** The starts and ends that the bus has received, and how often. */
export class EventLog {
  readonly #arrivals = new Map<string, Arrivals>();

  constructor(bus: Pick<LocalEventBus, 'onEvent'>, currentFault: () => string) {
    bus.onEvent(({ detailType, detail }) => {
      const { sessionId, startTime, endTime, eventId } = detail;
      // Other events belong to no answer.
      const time = startTime ?? endTime;
      if (typeof time !== 'string') return;
      const key = `${detailType} ${String(sessionId)} ${time}`;
      const arrivals = this.#arrivals.get(key) ?? { ids: new Set(), count: 0, during: currentFault() };
      arrivals.ids.add(eventId);
      arrivals.count++;
      this.#arrivals.set(key, arrivals);
    });
  }

  has(key: string): boolean {
    return this.#arrivals.has(key);
  }

  idsOf(key: string): number {
    return this.#arrivals.get(key)?.ids.size ?? 0;
  }

  repeatsOf(key: string): number {
    return Math.max(0, (this.#arrivals.get(key)?.count ?? 0) - 1);
  }

  /** Events that arrived during the fault and that no answer acknowledged. */
  unknownOf(fault: string, acknowledged: ReadonlySet<string>): number {
    return [...this.#arrivals].filter(([key, { during }]) => during === fault && !acknowledged.has(key))
      .length;
  }
}

import type { LocalEventBus } from '../../src/dev/event-bus/local-event-bus.js';

/** How a journey's event is recognized by somebody who saw the answers alone. */
export function startOf(sessionId: string, startedAt: string): string {
  return `TrainerJourneyStarted ${sessionId} ${startedAt}`;
}

export function endOf(sessionId: string, endedAt: string): string {
  return `TrainerJourneyEnded ${sessionId} ${endedAt}`;
}

/** Which events have arrived at the bus, and how often. */
export class EventLog {
  readonly #arrivals = new Map<string, { ids: Set<unknown>; count: number }>();

  constructor(bus: LocalEventBus) {
    bus.onEvent(({ detailType, detail }) => {
      const { sessionId, startTime, endTime, eventId } = detail;
      const key = `${detailType} ${String(sessionId)} ${String(startTime ?? endTime)}`;
      const before = this.#arrivals.get(key) ?? { ids: new Set(), count: 0 };
      before.ids.add(eventId);
      before.count++;
      this.#arrivals.set(key, before);
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
}

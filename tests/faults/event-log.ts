import type { LocalEventBus } from '../../src/dev/event-bus/local-event-bus.js';

/** How a journey's event is recognized by somebody who saw the answers alone. */
export function startOf(sessionId: string, startedAt: string): string {
  return `TrainerJourneyStarted ${sessionId} ${startedAt}`;
}

export function endOf(sessionId: string, endedAt: string): string {
  return `TrainerJourneyEnded ${sessionId} ${endedAt}`;
}

interface Arrivals {
  ids: Set<unknown>;
  count: number;
  /** The fault that there was when it came first. */
  during: string;
}

/** Which starts and ends the bus was told of, and how often. */
export class EventLog {
  readonly #arrivals = new Map<string, Arrivals>();

  /** faultNow: the name of the fault that there is. */
  constructor(bus: Pick<LocalEventBus, 'onEvent'>, faultNow: () => string) {
    bus.onEvent(({ detailType, detail }) => {
      const { sessionId, startTime, endTime, eventId } = detail;
      // Those of no start and no end tell of what no answer does.
      const time = startTime ?? endTime;
      if (typeof time !== 'string') return;
      const key = `${detailType} ${String(sessionId)} ${time}`;
      const before = this.#arrivals.get(key) ?? { ids: new Set(), count: 0, during: faultNow() };
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

  /** Events that came during the fault, of starts and ends that no answer told of. */
  unknownOf(fault: string, known: ReadonlySet<string>): number {
    return [...this.#arrivals].filter(([key, { during }]) => during === fault && !known.has(key)).length;
  }
}

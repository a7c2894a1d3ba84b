import type { ReceivedEvent } from '../../src/dev/event-bus/local-event-bus.js';
import type { ModelEvent } from './contract/state.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Differences between the events of one session; a repeat with the same eventId is allowed. */
export function eventDifferences(
  wanted: readonly ModelEvent[],
  received: readonly ReceivedEvent[],
): string[] {
  const byId = new Map(received.map((event) => [String(event.detail['eventId']), textOf(event)]));
  const changed = received.filter((event) => byId.get(String(event.detail['eventId'])) !== textOf(event));
  const left = [...byId.values()];
  const missing = wanted.map(textOf).filter((text) => {
    const index = left.indexOf(text);
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
  return [
    ...missing.map((text) => `missing: ${text}`),
    ...left.map((text) => `unexpected: ${text}`),
    ...changed.map((event) => `two events with the same id: ${textOf(event)}`),
    ...[...byId.keys()].filter((id) => !UUID.test(id)).map((id) => `eventId is not a UUID: ${id}`),
  ];
}

/** Without its id, and the fields in one order. */
function textOf({ detailType, detail }: Pick<ReceivedEvent, 'detailType' | 'detail'>): string {
  const fields = Object.entries(detail).filter(([name]) => name !== 'eventId');
  return `${detailType} ${JSON.stringify(fields.sort(([one], [other]) => (one < other ? -1 : 1)))}`;
}

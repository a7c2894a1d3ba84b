import type { ReceivedEvent } from '../../src/dev/event-bus/local-event-bus.js';
import type { ToldEvent } from './contract/state.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What is wrong with the events of one session; a repeat with the same eventId is none. */
export function eventDifferences(wanted: readonly ToldEvent[], received: readonly ReceivedEvent[]): string[] {
  const byId = new Map(received.map((event) => [String(event.detail['eventId']), textOf(event)]));
  const changed = received.filter((event) => byId.get(String(event.detail['eventId'])) !== textOf(event));
  const left = [...byId.values()];
  const missing = wanted.map(textOf).filter((text) => {
    const index = left.indexOf(text);
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
  return [
    ...missing.map((text) => `never came: ${text}`),
    ...left.map((text) => `came, and should not: ${text}`),
    ...changed.map((event) => `another event has the same id: ${textOf(event)}`),
    ...[...byId.keys()].filter((id) => !UUID.test(id)).map((id) => `no UUID as an eventId: ${id}`),
  ];
}

/** Without its id, and the fields in one order. */
function textOf({ detailType, detail }: Pick<ReceivedEvent, 'detailType' | 'detail'>): string {
  const fields = Object.entries(detail).filter(([name]) => name !== 'eventId');
  return `${detailType} ${JSON.stringify(fields.sort(([one], [other]) => (one < other ? -1 : 1)))}`;
}

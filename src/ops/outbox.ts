import { entryFields, GROUP } from '../outbox/event-stream.js';
import type { Backlog } from '../store/backlog.js';
import type { Keys } from '../store/keys.js';
import { ofAllPartitions, partitionName, type Operated } from './operated.js';
import { age, table } from './table.js';

const EVENT_HEADERS = ['entry', 'age', 'type', 'session', 'event'];
const TASK_HEADERS = ['task', 'last heartbeat', 'has read'];

/** An entry of a stream, with the partition in front of its id in a cluster: what requeue takes. */
export interface StoredEvent {
  reference: string;
  id: string;
  atMs: number;
  type: string;
  sessionId: string;
  eventId: string;
  reason: string;
}

export async function reportOutbox(
  operated: Operated,
  { limit, backlog }: { limit: number; backlog: Backlog },
): Promise<string[]> {
  const dead = await ofAllPartitions(operated, async ({ deadLetters }) => [
    await operated.redis.xlen(deadLetters),
  ]);
  const oldest = await oldestEvents(operated, (keys) => keys.outbox, limit);
  return [
    `${backlog.outboxDepth} unpublished events, the oldest ${Math.round(backlog.outboxAgeSeconds)} s old`,
    `${dead.reduce((sum, each) => sum + each, 0)} dead letters`,
    '',
    'Tasks that publish:',
    ...(await tasks(operated)),
    '',
    'The oldest unpublished events:',
    ...table(
      EVENT_HEADERS,
      oldest.map((event) => [
        event.reference,
        age(operated.nowMs, event.atMs),
        event.type,
        event.sessionId,
        event.eventId,
      ]),
    ),
  ];
}

/** The oldest entries of a stream that each partition has. */
export async function oldestEvents(
  operated: Operated,
  streamOf: (keys: Keys) => string,
  limit: number,
): Promise<StoredEvent[]> {
  const events = await ofAllPartitions(operated, async (keys) => {
    const entries = await operated.redis.xrange(streamOf(keys), '-', '+', 'COUNT', limit);
    return entries.map(([id, fields]) => storedEvent(partitionName(keys), id, fields));
  });
  return events.sort((one, other) => one.atMs - other.atMs).slice(0, limit);
}

function storedEvent(partition: string, id: string, fields: string[]): StoredEvent {
  const field = entryFields(fields);
  return {
    reference: partition === '' ? id : `${partition}/${id}`,
    id,
    atMs: Number(id.split('-')[0]),
    type: field('type') || '-',
    ...identityOf(field('detail')),
    reason: field('reason') || '-',
  };
}

function identityOf(detail: string): { sessionId: string; eventId: string } {
  try {
    const { sessionId = '-', eventId = '-' } = Object(JSON.parse(detail)) as Record<string, unknown>;
    return { sessionId: String(sessionId), eventId: String(eventId) };
  } catch {
    return { sessionId: 'unreadable', eventId: 'unreadable' };
  }
}

/** A task that has read entries and sends no heartbeat has died; another one claims its entries within seconds. */
async function tasks(operated: Operated): Promise<string[]> {
  const { redis, nowMs } = operated;
  const heartbeats = new Map<string, number>();
  const entries = new Map<string, number>();
  await ofAllPartitions(operated, async (keys) => {
    const flat = await redis.zrange(keys.relays, '0', '-1', 'WITHSCORES');
    for (let index = 0; index < flat.length; index += 2) {
      const task = flat[index] ?? '';
      heartbeats.set(task, Math.max(heartbeats.get(task) ?? 0, Number(flat[index + 1])));
    }
    for (const [task, count] of await readByTask(operated, keys.outbox))
      entries.set(task, (entries.get(task) ?? 0) + count);
    return [];
  });
  const names = [...new Set([...heartbeats.keys(), ...entries.keys()])].sort();
  return table(
    TASK_HEADERS,
    names.map((task) => {
      const atMs = heartbeats.get(task);
      return [task, atMs === undefined ? 'none' : age(nowMs, atMs), String(entries.get(task) ?? 0)];
    }),
  );
}

type XPendingSummary = [
  count: number,
  first: string | null,
  last: string | null,
  byTask: [task: string, count: string][] | null,
];

async function readByTask({ redis }: Operated, stream: string): Promise<[task: string, count: number][]> {
  try {
    const summary = (await redis.xpending(stream, GROUP)) as XPendingSummary;
    return (summary[3] ?? []).map(([task, count]) => [task, Number(count)]);
  } catch (error) {
    // No task has read anything since Redis was empty.
    if (error instanceof Error && error.message.includes('NOGROUP')) return [];
    throw error;
  }
}

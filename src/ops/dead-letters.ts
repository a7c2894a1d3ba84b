import { oldestEvents } from './outbox.js';
import { ofAllPartitions, partitionName, type Operated } from './operated.js';
import { age, table } from './table.js';

const HEADERS = ['letter', 'age', 'reason', 'type', 'session', 'event'];

export async function listDeadLetters(operated: Operated, limit: number): Promise<string[]> {
  const letters = await oldestEvents(operated, (keys) => keys.deadLetters, limit);
  return table(
    HEADERS,
    letters.map(({ reference, atMs, reason, type, sessionId, eventId }) => [
      ...[reference, age(operated.nowMs, atMs), reason, type, sessionId, eventId],
    ]),
  );
}

/** letters: null for the oldest ones. */
export async function requeue(
  operated: Operated,
  { letters, limit, isConfirmed }: { letters: string[] | null; limit: number; isConfirmed: boolean },
): Promise<string[]> {
  const all = await oldestEvents(operated, (keys) => keys.deadLetters, limit);
  const references = letters ?? all.map(({ reference }) => reference);
  if (!isConfirmed)
    return [
      `Would move ${references.length} dead letters back to the outbox:`,
      ...references,
      'Nothing was changed. Repeat with --yes.',
    ];
  const moved = await ofAllPartitions(operated, async (keys) => {
    const name = partitionName(keys);
    const ids = references.flatMap((reference) => {
      const [id = '', partition = ''] = reference.split('/').reverse();
      return partition === name ? [id] : [];
    });
    if (ids.length === 0) return [];
    return [await operated.redis.requeueEvents(keys.deadLetters, keys.outbox, ...ids)];
  });
  const count = moved.reduce((sum, each) => sum + each, 0);
  return [`Moved ${count} of ${references.length} dead letters back to the outbox.`];
}

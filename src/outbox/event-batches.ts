import { EVENT_SOURCE } from '../contract/events.js';
import type { OutboxEntry } from './outbox.js';

/** EventBridge's limits on one PutEvents call. */
const MAX_ENTRIES = 10;
const MAX_BYTES = 256 * 1024;

/** Splits entries, in order, into batches within the limits of one PutEvents call. An oversized entry gets its own. */
export function toBatches(entries: OutboxEntry[]): OutboxEntry[][] {
  const batches: OutboxEntry[][] = [];
  let bytes = Infinity;
  for (const entry of entries) {
    const size = sizeInBytes(entry);
    const batch = batches.at(-1);
    if (batch === undefined || batch.length === MAX_ENTRIES || bytes + size > MAX_BYTES) {
      batches.push([entry]);
      bytes = size;
    } else {
      batch.push(entry);
      bytes += size;
    }
  }
  return batches;
}

/**
 * Bytes as EventBridge counts them: 14 for the time, and the texts in UTF-8. Source: Amazon EventBridge User Guide,
 * "Calculating Amazon EventBridge PutEvents event entry size".
 */
function sizeInBytes({ detailType, detail }: OutboxEntry): number {
  return 14 + EVENT_SOURCE.length + Buffer.byteLength(detailType) + Buffer.byteLength(detail);
}

import { toBatches } from '../../src/outbox/event-batches.js';
import type { OutboxEntry } from '../../src/outbox/outbox.js';

const MAX_BYTES = 256 * 1024;

let nextId = 0;
function anEntry(detailBytes = 100): OutboxEntry {
  const detail = JSON.stringify({ text: 'x'.repeat(Math.max(0, detailBytes - 11)) });
  return { id: `${++nextId}-0`, tag: '', detailType: 'TrainerJourneyStarted', atMs: 0, detail };
}

/** As EventBridge counts: 14 bytes for the time, and the texts in UTF-8. */
function bytesOf(batch: OutboxEntry[]): number {
  return batch.reduce(
    (sum, { detailType, detail }) => sum + 14 + Buffer.byteLength(`admin-service${detailType}${detail}`),
    0,
  );
}

test.each([
  [0, []],
  [10, [10]],
  [11, [10, 1]],
  [40, [10, 10, 10, 10]],
])('%i small entries are split into batches of %j, complete and in order', (count, sizes) => {
  const entries = Array.from({ length: count }, () => anEntry());
  const batches = toBatches(entries);
  expect(batches.flat()).toEqual(entries);
  expect(batches.map(({ length }) => length)).toEqual(sizes);
});

test.each([
  [40_000, [6, 6]],
  [131_000, [2, 2, 2, 2, 2, 2]],
])('batches of entries of %i bytes are as large as possible within 256 KB', (bytes, sizes) => {
  const batches = toBatches(Array.from({ length: 12 }, () => anEntry(bytes)));
  for (const batch of batches) expect(bytesOf(batch)).toBeLessThanOrEqual(MAX_BYTES);
  expect(batches.map(({ length }) => length)).toEqual(sizes);
});

test('texts count with their bytes in UTF-8', () => {
  const wide = { ...anEntry(), detail: JSON.stringify({ text: 'ಬೆ'.repeat(22_000) }) };
  expect(wide.detail.length).toBeLessThan(MAX_BYTES / 2);
  const batches = toBatches([wide, { ...wide, id: 'other' }, anEntry()]);
  for (const batch of batches) expect(bytesOf(batch)).toBeLessThanOrEqual(MAX_BYTES);
});

test('an entry over 256 KB gets a batch of its own', () => {
  const huge = anEntry(300_000);
  const [before, after] = [anEntry(), anEntry()];
  expect(toBatches([before, huge, after])).toEqual([[before], [huge], [after]]);
});

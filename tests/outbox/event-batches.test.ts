import { toBatches } from '../../src/outbox/event-batches.js';
import type { OutboxEntry } from '../../src/outbox/outbox.js';

const MAX_ENTRIES = 10;
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

test('no entries make no batch', () => {
  expect(toBatches([])).toEqual([]);
});

test.each([1, 10, 11, 100])(
  '%i small entries are split into batches of ten, complete and in order',
  (count) => {
    const entries = Array.from({ length: count }, () => anEntry());
    const batches = toBatches(entries);
    expect(batches.flat()).toEqual(entries);
    expect(batches.map(({ length }) => length)).toEqual([
      ...Array<number>(Math.floor(count / MAX_ENTRIES)).fill(MAX_ENTRIES),
      ...(count % MAX_ENTRIES === 0 ? [] : [count % MAX_ENTRIES]),
    ]);
  },
);

test.each([40_000, 131_000])(
  'batches of entries of %i bytes are as large as possible within 256 KB',
  (bytes) => {
    const entries = Array.from({ length: 12 }, () => anEntry(bytes));
    const batches = toBatches(entries);
    expect(batches.flat()).toEqual(entries);
    for (const batch of batches) expect(bytesOf(batch)).toBeLessThanOrEqual(MAX_BYTES);
    expect(batches[0]).toHaveLength(Math.min(MAX_ENTRIES, Math.floor(MAX_BYTES / bytesOf([anEntry(bytes)]))));
  },
);

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

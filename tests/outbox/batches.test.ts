import { toBatches } from '../../src/outbox/event-batches.js';
import type { OutboxEntry } from '../../src/outbox/outbox.js';

const MOST_ENTRIES = 10;
const MOST_BYTES = 256 * 1024;

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

test('no entries are no batch', () => {
  expect(toBatches([])).toEqual([]);
});

test.each([1, 9, 10, 11, 20, 25, 100])(
  '%i small entries go out in batches of up to ten, none left out, in order',
  (count) => {
    const entries = Array.from({ length: count }, () => anEntry());
    const batches = toBatches(entries);
    expect(batches.flat()).toEqual(entries);
    expect(batches.map(({ length }) => length)).toEqual([
      ...Array<number>(Math.floor(count / MOST_ENTRIES)).fill(MOST_ENTRIES),
      ...(count % MOST_ENTRIES === 0 ? [] : [count % MOST_ENTRIES]),
    ]);
  },
);

test.each([40_000, 100_000, 130_000, 131_000, 200_000])(
  'entries of %i bytes share a batch only as far as 256 KB go',
  (bytes) => {
    const entries = Array.from({ length: 12 }, () => anEntry(bytes));
    const batches = toBatches(entries);
    expect(batches.flat()).toEqual(entries);
    for (const batch of batches) expect(bytesOf(batch)).toBeLessThanOrEqual(MOST_BYTES);
    expect(batches[0]).toHaveLength(
      Math.min(MOST_ENTRIES, Math.floor(MOST_BYTES / bytesOf([anEntry(bytes)]))),
    );
  },
);

test('a text counts by its bytes in UTF-8, not by its letters', () => {
  const wide = { ...anEntry(), detail: JSON.stringify({ text: 'ಬೆ'.repeat(22_000) }) };
  expect(wide.detail.length).toBeLessThan(MOST_BYTES / 2);
  const batches = toBatches([wide, { ...wide, id: 'other' }, anEntry()]);
  for (const batch of batches) expect(bytesOf(batch)).toBeLessThanOrEqual(MOST_BYTES);
});

test('an entry that is over 256 KB by itself goes alone, and no other waits with it', () => {
  const huge = anEntry(300_000);
  const [before, after] = [anEntry(), anEntry()];
  expect(toBatches([before, huge, after])).toEqual([[before], [huge], [after]]);
});

test('a small entry after a batch that is full by size opens the next one', () => {
  const entries = [anEntry(MOST_BYTES - 200), anEntry(150), anEntry(50)];
  const batches = toBatches(entries);
  expect(batches.flat()).toEqual(entries);
  for (const batch of batches) expect(bytesOf(batch)).toBeLessThanOrEqual(MOST_BYTES);
});

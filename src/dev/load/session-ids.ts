import { randomBytes } from 'node:crypto';
import type { SessionRange } from '../session-database.js';

/** Session ids of one run: they lie next to each other, so that two of them name all. */
export interface SessionIds {
  next(): string;
  range: SessionRange;
}

/** UUIDs of version 4 by their form: 72 random bits that the run's ids share, then 48 that count. */
export function newSessionIds(): SessionIds {
  const random = randomBytes(9).toString('hex');
  const shared = [
    random.slice(0, 8),
    random.slice(8, 12),
    `4${random.slice(12, 15)}`,
    `8${random.slice(15)}`,
  ];
  const idOf = (number: string) => [...shared, number].join('-');
  let count = 0;
  return {
    next: () => {
      count += 1;
      return idOf(count.toString(16).padStart(12, '0'));
    },
    range: { first: idOf('000000000000'), last: idOf('ffffffffffff') },
  };
}

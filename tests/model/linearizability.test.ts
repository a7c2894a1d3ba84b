import { checkLinearizability, type Operation, type Specification } from './linearizability.js';
import { problemOf } from './concurrent-histories.js';
import type { JourneyOperation } from './journey-object.js';

interface RegisterOperation extends Operation {
  write?: number;
  read?: number;
}

/** One number that is written and read. */
const register: Specification<number, RegisterOperation> = {
  initial: 0,
  after: (value, { write, read }) => (write !== undefined ? [write] : read === value ? [value] : []),
  keyOf: String,
};
const during = (invokedAt: number, answeredAt: number) => ({ invokedAt, answeredAt });

test('calls at once may be in either order', () => {
  const history = [
    { ...during(0, 10), write: 1 },
    { ...during(1, 9), write: 2 },
    { ...during(11, 12), read: 1 },
  ];
  expect(checkLinearizability(history, register).kind).toBe('linearizable');
});

test('a value that was overwritten before the read began cannot be read', () => {
  const history = [
    { ...during(0, 1), write: 1 },
    { ...during(2, 3), write: 2 },
    { ...during(4, 5), read: 1 },
  ];
  expect(checkLinearizability(history, register)).toMatchObject({
    kind: 'impossible',
    unexplained: [{ read: 1 }],
  });
});

test('two readers at once cannot see two writes in opposite orders', () => {
  const history = [
    { ...during(0, 20), write: 1 },
    { ...during(0, 20), write: 2 },
    { ...during(1, 2), read: 1 },
    { ...during(3, 4), read: 2 },
    { ...during(5, 6), read: 1 },
  ];
  expect(checkLinearizability(history, register).kind).toBe('impossible');
});

test('a call that nobody heard of may have happened, late too, or not at all', () => {
  const lost = { ...during(0, Infinity), write: 7 };
  const late = [lost, { ...during(1, 2), read: 0 }, { ...during(3, 4), read: 7 }];
  const never = [lost, { ...during(1, 2), read: 0 }, { ...during(3, 4), read: 0 }];
  const twice = [...late, { ...during(5, 6), read: 0 }];
  const verdicts = [late, never, twice].map((history) => checkLinearizability(history, register).kind);
  expect(verdicts).toEqual(['linearizable', 'linearizable', 'impossible']);
});

describe('of a journey', () => {
  const [sessionId, trainerId, studentId] = ['1', '2', '3'].map(
    (digit) => `${digit.repeat(8)}-0000-4000-8000-000000000000`,
  ) as [string, string, string];
  const session = { sessionId, trainerId, studentId, status: 'scheduled', home: null };
  const started = (from: number, to: number, atMs: number, client: number): JourneyOperation => ({
    ...{ client, invokedAt: from, answeredAt: to, fromMs: from, toMs: to },
    call: { kind: 'start', sessionId, caller: { userId: trainerId, role: 'trainer' } },
    answer: {
      status: 201,
      headers: {},
      body: {
        success: true,
        data: {
          ...{ sessionId, trainerId, studentId, nextUpdateMs: 40 },
          startedAt: new Date(atMs).toISOString(),
          expiresAt: new Date(atMs + 3_600_000).toISOString(),
        },
      },
    },
  });

  test('one start can be explained, and two that both began a journey cannot', () => {
    const one = started(1_000, 1_020, 1_010, 0);
    const other = started(1_005, 1_030, 1_012, 1);
    expect(problemOf({ session, operations: [one] })).toBeNull();
    expect(problemOf({ session, operations: [one, other] })).toMatch(/No order explains/);
  });
});

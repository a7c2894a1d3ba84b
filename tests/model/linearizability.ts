/** A call as a client saw it, by a monotonic clock. */
export interface Operation {
  invokedAt: number;
  /** Infinity: without an answer, so it may have taken effect at any later time, or never. */
  answeredAt: number;
}

/** The sequential specification of an object. */
export interface Specification<State, Op> {
  initial: State;
  /** The possible states after this operation with this answer; none where the answer is impossible. */
  after: (state: State, operation: Op) => State[];
  /** Equal states have equal keys. */
  keyOf: (state: State) => string;
}

export type Verdict<Op> =
  | { kind: 'linearizable'; order: Op[] }
  /** order: the longest possible beginning. */
  | { kind: 'impossible'; order: Op[]; unexplained: Op[] }
  | { kind: 'undecided' };

/** With more states a history is undecided. */
const MOST_STATES = 100_000;

/**
 * Whether the operations can be ordered so that the order respects real time and the specification allows every answer:
 * J. M. Wing and C. Gong, "Testing and Verifying Concurrent Objects", 1993, with the
 * memory of states seen of G. Lowe, "Testing for Linearizability", 2017.
 */
export function checkLinearizability<State, Op extends Operation>(
  operations: readonly Op[],
  { initial, after, keyOf }: Specification<State, Op>,
): Verdict<Op> {
  const all = [...operations].sort((one, other) => one.invokedAt - other.invokedAt);
  const answered = all.filter(({ answeredAt }) => answeredAt !== Infinity).length;
  const seen = new Set<string>();
  const done = all.map(() => false);
  const order: Op[] = [];
  let furthest: Op[] = [];
  let furthestAnswered = -1;

  /** The operations that can be next, by the time of their answer. */
  const candidates = (): number[] => {
    const left = all.flatMap((_operation, index) => (done[index] === true ? [] : [index]));
    const firstEnd = Math.min(...left.map((index) => all[index]?.answeredAt ?? Infinity));
    return left
      .filter((index) => (all[index]?.invokedAt ?? Infinity) <= firstEnd)
      .sort((one, other) => (all[one]?.answeredAt ?? 0) - (all[other]?.answeredAt ?? 0));
  };
  const isSeen = (state: State): boolean => {
    const key = `${done.map(Number).join('')} ${keyOf(state)}`;
    const isKnown = seen.has(key);
    seen.add(key);
    return isKnown;
  };
  const go = (state: State, answeredSoFar: number): boolean => {
    if (answeredSoFar === answered) return true;
    if (isSeen(state) || seen.size > MOST_STATES) return false;
    if (answeredSoFar > furthestAnswered) [furthest, furthestAnswered] = [[...order], answeredSoFar];
    for (const index of candidates()) {
      const operation = all[index];
      if (operation === undefined) continue;
      done[index] = true;
      order.push(operation);
      const isAnswered = operation.answeredAt !== Infinity;
      if (after(state, operation).some((next) => go(next, answeredSoFar + (isAnswered ? 1 : 0)))) return true;
      order.pop();
      done[index] = false;
    }
    return false;
  };
  if (go(initial, 0)) return { kind: 'linearizable', order };
  if (seen.size > MOST_STATES) return { kind: 'undecided' };
  return { kind: 'impossible', order: furthest, unexplained: all.filter((one) => !furthest.includes(one)) };
}

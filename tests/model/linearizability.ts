/** A call as a client saw it; by any one clock that only goes forward. */
export interface Operation {
  invokedAt: number;
  /** Infinity: nobody heard of it, so it may have happened at any time since, or never. */
  answeredAt: number;
}

/** One object that does one operation at a time. */
export interface Specification<State, Op> {
  initial: State;
  /** The states that the object can be in after this operation with this answer; none where that answer cannot be. */
  after: (state: State, operation: Op) => State[];
  /** The same text for the same state. */
  keyOf: (state: State) => string;
}

export type Verdict<Op> =
  | { kind: 'linearizable'; order: Op[] }
  /** order: as far as any order goes. */
  | { kind: 'impossible'; order: Op[]; unexplained: Op[] }
  | { kind: 'undecided' };

/** Beyond so many states a history counts as one that could not be decided. */
const MOST_STATES = 100_000;

/**
 * Whether there is an order of the operations, in which none comes before one that had ended when it began, and that the
 * object alone could have gone through: J. M. Wing and C. Gong, "Testing and Verifying Concurrent Objects", 1993, with the
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

  /** Those that can be next, the ones first whose answer came first. */
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

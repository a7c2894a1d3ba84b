import fc from 'fast-check';
import { histories } from './commands.js';
import { Divergence, Inconclusive } from './divergence.js';
import { History } from './history.js';
import type { RealJourneys } from './real-journeys.js';

export interface RandomHistoriesOptions {
  operations: number;
  seed: number;
  /** Of a history that failed, as it was printed. */
  path?: string | undefined;
  onProgress?: (progress: { operations: number; histories: number }) => void;
}

export interface RandomHistoriesResult {
  operations: number;
  histories: number;
  /** Broken off because the service said 503. */
  inconclusive: number;
  /** The shortest history found in which the service and the model differ, and how to have it again. */
  failure: string | null;
}

const MOST_STEPS = 80;
const HISTORIES_A_BATCH = 10;
/** More of them, and the run has shown nothing. */
const MOST_INCONCLUSIVE = 0.01;
/** In milliseconds: a shorter history is worth some time, and no more. */
const SHRINK_FOR_MS = 60_000;

/** Random histories until so many calls were made, or one of them does not go as the model says. */
export async function runRandomHistories(
  real: RealJourneys,
  { operations, seed, path, onProgress }: RandomHistoriesOptions,
): Promise<RandomHistoriesResult> {
  const first = real.operations;
  const result: RandomHistoriesResult = { operations: 0, histories: 0, inconclusive: 0, failure: null };
  let shrinkUntilMs = Infinity;
  const property = fc.asyncProperty(histories(MOST_STEPS), async (steps) => {
    // Not by fast-check's own limit: that leaves the history under way to go on beside the next one.
    if (performance.now() > shrinkUntilMs) return;
    result.histories++;
    try {
      await oneHistory(real, steps, () => result.inconclusive++);
    } catch (error) {
      shrinkUntilMs = Math.min(shrinkUntilMs, performance.now() + SHRINK_FOR_MS);
      throw error;
    }
  });
  for (let batch = seed; result.operations < operations && result.failure === null; batch++) {
    const details = await fc.check(property, {
      seed: batch,
      numRuns: path === undefined ? HISTORIES_A_BATCH : 1,
      ...(path !== undefined && { path }),
    });
    result.operations = real.operations - first;
    if (details.failed && details.counterexample !== null) result.failure = failureText(details);
    onProgress?.(result);
    if (path !== undefined) break;
  }
  if (result.inconclusive > Math.max(2, result.histories * MOST_INCONCLUSIVE)) {
    result.failure ??= `${result.inconclusive} of ${result.histories} histories met a 503`;
  }
  return result;
}

async function oneHistory(
  real: RealJourneys,
  steps: Iterable<fc.AsyncCommand<History, null>>,
  onInconclusive: () => void,
): Promise<void> {
  const history = await History.begin(real);
  try {
    await fc.asyncModelRun(() => ({ model: history, real: null }), steps);
    await history.checkEvents();
  } catch (error) {
    if (!(error instanceof Inconclusive)) throw error;
    onInconclusive();
  } finally {
    await history.end();
  }
}

function failureText({
  seed,
  counterexamplePath,
  counterexample,
  errorInstance,
  numShrinks,
}: fc.RunDetails<[Iterable<fc.AsyncCommand<History, null>>]>): string {
  const reason =
    errorInstance instanceof Divergence
      ? errorInstance.message
      : errorInstance instanceof Error
        ? String(errorInstance.stack)
        : String(errorInstance);
  const steps = fc.stringify(counterexample?.[0]).replaceAll('),', ')\n ');
  return [
    `The service and the model differ: ${reason}`,
    `after (shrunk ${numShrinks} times)\n  ${steps}`,
    `again: npm run test:long -- --only histories --seed ${seed} --path ${counterexamplePath ?? ''}`,
  ].join('\n');
}

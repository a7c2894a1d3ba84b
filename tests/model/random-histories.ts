import fc from 'fast-check';
import { histories } from './commands.js';
import { Inconclusive } from './divergence.js';
import { History } from './history.js';
import type { RealJourneys } from './real-journeys.js';

export interface RandomHistoriesOptions {
  operations: number;
  seed: number;
  /** Of a history that failed. */
  path?: string | undefined;
  onProgress?: (progress: { operations: number; histories: number }) => void;
}

export interface RandomHistoriesResult {
  operations: number;
  histories: number;
  /** Ended early by a 503. */
  inconclusive: number;
  /** The shortest history found in which the service and the model differ, and how to repeat it. */
  failure: string | null;
}

const MOST_STEPS = 80;
const HISTORIES_A_BATCH = 10;
/** With more of them the run proves nothing. */
const MOST_INCONCLUSIVE = 0.01;
const SHRINK_FOR_MS = 60_000;

/** Runs random histories until so many calls were made or the service differs from the model. */
export async function runRandomHistories(
  real: RealJourneys,
  { operations, seed, path, onProgress }: RandomHistoriesOptions,
): Promise<RandomHistoriesResult> {
  const first = real.operations;
  const result: RandomHistoriesResult = { operations: 0, histories: 0, inconclusive: 0, failure: null };
  let shrinkUntilMs = Infinity;
  const property = fc.asyncProperty(histories(MOST_STEPS), async (steps) => {
    // fast-check's own time limit would leave a history running beside the next one.
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
    result.failure ??= `${result.inconclusive} of ${result.histories} histories ended by a 503`;
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

function failureText(details: fc.RunDetails<[Iterable<fc.AsyncCommand<History, null>>]>): string {
  const { seed, counterexamplePath } = details;
  return [
    fc.defaultReportMessage(details) ?? '',
    `again: npm run test:long -- --only histories --seed ${seed} --path ${counterexamplePath ?? ''}`,
  ].join('\n');
}

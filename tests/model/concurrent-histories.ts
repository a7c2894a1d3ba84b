import {
  hurriedRules,
  runConcurrentClients,
  type ConcurrencyOptions,
  type SessionHistory,
} from './concurrent-clients.js';
import { journeyObject, type JourneyOperation } from './journey-object.js';
import { checkLinearizability } from './linearizability.js';
import type { ServiceUnderModel } from './service-under-model.js';

export interface ConcurrentHistoriesResult {
  operations: number;
  histories: number;
  /** Calls of which nobody heard what became. */
  unheard: number;
  /** Pairs of calls to one session of which neither had ended when the other began. */
  overlapping: number;
  failure: string | null;
}

/** Many clients at once, and whether what each session's heard can be explained by one call after the other. */
export async function runConcurrentHistories(
  service: ServiceUnderModel,
  options: Omit<ConcurrencyOptions, 'onHistory'> & {
    onProgress?: (result: ConcurrentHistoriesResult) => void;
  },
): Promise<ConcurrentHistoriesResult> {
  const result: ConcurrentHistoriesResult = {
    operations: 0,
    histories: 0,
    unheard: 0,
    overlapping: 0,
    failure: null,
  };
  const histories: SessionHistory[] = [];
  await runConcurrentClients(service, {
    ...options,
    onHistory: (history) => {
      histories.push(history);
      result.histories++;
      result.operations += history.operations.length;
      result.unheard += history.operations.filter(({ answer }) => answer === null).length;
      result.overlapping += overlapping(history.operations);
      options.onProgress?.(result);
    },
  });
  // Afterwards, so that the clients are not held up by it.
  for (const history of histories) result.failure ??= problemOf(history);
  return result;
}

/** Null where the history is linearizable. */
export function problemOf({ session, operations }: SessionHistory): string | null {
  const verdict = checkLinearizability(operations, journeyObject(session, operations, hurriedRules));
  switch (verdict.kind) {
    case 'linearizable':
      return null;
    case 'undecided':
      return `session ${session.sessionId}: ${operations.length} operations, and too many orders to look at`;
    case 'impossible':
      return [
        `No order explains session ${session.sessionId}. ${verdict.order.length} operations go as far as:`,
        ...verdict.order.slice(-6).map(textOf),
        'of the next none can follow:',
        ...verdict.unexplained.slice(0, 8).map(textOf),
      ].join('\n  ');
  }
}

function overlapping(operations: readonly JourneyOperation[]): number {
  return operations.reduce((sum, one, index) => {
    const later = operations.slice(index + 1);
    return (
      sum + later.filter((two) => one.invokedAt < two.answeredAt && two.invokedAt < one.answeredAt).length
    );
  }, 0);
}

function textOf({ client, call, answer, invokedAt, answeredAt, fromMs }: JourneyOperation): string {
  const heard = answer === null ? 'nothing' : `${answer.status} ${JSON.stringify(answer.body)}`;
  const times = `${invokedAt.toFixed(1)}..${answeredAt.toFixed(1)} (${new Date(fromMs).toISOString()})`;
  return `client ${client} ${times} ${JSON.stringify(call)} heard ${heard}`;
}

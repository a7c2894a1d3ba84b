import {
  hurriedRules,
  OPERATIONS_A_SESSION,
  ConcurrentClients,
  type SessionHistory,
} from './concurrent-clients.js';
import { journeyObject, type JourneyOperation } from './journey-object.js';
import { checkLinearizability } from './linearizability.js';
import type { ServiceUnderModel } from './service-under-model.js';

export interface ConcurrencyOptions {
  operations: number;
  instances: number;
  seed: number;
  /** Sessions with clients at the same time. */
  atOnce: number;
  onProgress?: (result: ConcurrentHistoriesResult) => void;
}

export interface ConcurrentHistoriesResult {
  operations: number;
  histories: number;
  /** Calls without an answer. */
  unanswered: number;
  /** Pairs of concurrent calls to one session. */
  overlapping: number;
  failure: string | null;
}

/** Runs concurrent clients and checks that the answers of each session are linearizable. */
export async function runConcurrentHistories(
  service: ServiceUnderModel,
  { operations, instances, seed, atOnce, onProgress }: ConcurrencyOptions,
): Promise<ConcurrentHistoriesResult> {
  const result: ConcurrentHistoriesResult = {
    ...{ operations: 0, histories: 0, unanswered: 0, overlapping: 0, failure: null },
  };
  const histories: SessionHistory[] = [];
  let left = Math.ceil(operations / OPERATIONS_A_SESSION);
  let nextSeed = seed;
  const oneAfterTheOther = async () => {
    while (left-- > 0) {
      const load = new ConcurrentClients(service, instances, nextSeed++);
      await service.addSessions([load.session]);
      const history = await load.run();
      await service.removeSessions([load.session]);
      histories.push(history);
      result.histories++;
      result.operations += history.operations.length;
      result.unanswered += history.operations.filter(({ answer }) => answer === null).length;
      result.overlapping += overlapping(history.operations);
      onProgress?.(result);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, oneAfterTheOther));
  // Afterwards, so that the check does not delay the clients.
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
      return `session ${session.sessionId}: ${operations.length} operations, too many orders to check`;
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
  const received = answer === null ? 'nothing' : `${answer.status} ${JSON.stringify(answer.body)}`;
  const times = `${invokedAt.toFixed(1)}..${answeredAt.toFixed(1)} (${new Date(fromMs).toISOString()})`;
  return `client ${client} ${times} ${JSON.stringify(call)} received ${received}`;
}

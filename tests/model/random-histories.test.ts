import { sharedDatabaseUrl } from '../support/shared-services.js';
import { testOfTheSource } from '../support/service-process.js';
import { Stack } from '../support/stack.js';
import { runRandomHistories } from './random-histories.js';
import { RealJourneys } from './real-journeys.js';

const OPERATIONS = 700;
const seed = Number(process.env['MODEL_SEED'] ?? Date.now() % 2 ** 31);

testOfTheSource(
  'in random histories every answer, key, TTL and event is what the model of the contract says',
  async () => {
    const stack = await Stack.start({ databaseUrl: sharedDatabaseUrl() });
    try {
      const result = await runRandomHistories(await RealJourneys.start(stack), {
        operations: OPERATIONS,
        seed,
      });
      process.stderr.write(`random histories: seed ${seed}\n`);
      expect(result.failure).toBeNull();
      expect(result.operations).toBeGreaterThanOrEqual(OPERATIONS);
    } finally {
      await stack.stop();
    }
  },
  120_000,
);

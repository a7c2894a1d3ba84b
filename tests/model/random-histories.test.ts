import { sharedDatabaseUrl } from '../support/shared-services.js';
import { testOfTheSource } from '../support/service-process.js';
import { RealJourneys } from './real-journeys.js';
import { runRandomHistories } from './random-histories.js';

const OPERATIONS = Number(process.env['MODEL_OPERATIONS'] ?? 900);
const seed = Number(process.env['MODEL_SEED'] ?? Date.now() % 2 ** 31);

testOfTheSource(
  'in random histories every answer, key, TTL and event is what the model of the contract says',
  async () => {
    const real = await RealJourneys.start(sharedDatabaseUrl());
    try {
      const result = await runRandomHistories(real, { operations: OPERATIONS, seed });
      process.stderr.write(
        `random histories: seed ${seed}, ${result.operations} calls in ${result.histories}\n`,
      );
      expect(result.failure).toBeNull();
      expect(result.operations).toBeGreaterThanOrEqual(OPERATIONS);
    } finally {
      await real.stop();
    }
  },
  120_000,
);

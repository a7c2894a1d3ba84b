import { sharedDatabaseUrl } from '../support/shared-services.js';
import { testOfTheSource } from '../support/service-process.js';
import { Stack } from '../support/stack.js';
import { hurriedSettings } from './concurrent-clients.js';
import { runConcurrentHistories } from './concurrent-histories.js';
import { ServiceUnderModel } from './service-under-model.js';

const OPERATIONS = 1_200;
const INSTANCES = 2;
const seed = Number(process.env['MODEL_SEED'] ?? Date.now() % 2 ** 31);

testOfTheSource(
  'the answers to concurrent clients of a session are linearizable',
  async () => {
    const stack = await Stack.start({ databaseUrl: sharedDatabaseUrl() });
    try {
      const started = { instances: INSTANCES, settings: hurriedSettings };
      const service = await ServiceUnderModel.start(stack, started);
      const options = { operations: OPERATIONS, instances: INSTANCES, seed, atOnce: 5 };
      const result = await runConcurrentHistories(service, options);
      process.stderr.write(`concurrent clients: seed ${seed}, ${JSON.stringify(result)}\n`);
      expect(result.failure).toBeNull();
      expect(result.operations).toBeGreaterThanOrEqual(OPERATIONS);
      // Calls that do not overlap would prove nothing.
      expect(result.overlapping).toBeGreaterThan(OPERATIONS);
    } finally {
      await stack.stop();
    }
  },
  120_000,
);

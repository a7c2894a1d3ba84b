import { sharedDatabaseUrl } from '../support/shared-services.js';
import { testOfTheSource } from '../support/service-process.js';
import { hurriedSettings } from './concurrent-clients.js';
import { runConcurrentHistories } from './concurrent-histories.js';
import { ServiceUnderModel } from './service-under-model.js';

const OPERATIONS = 1_200;
const seed = Number(process.env['MODEL_SEED'] ?? Date.now() % 2 ** 31);

testOfTheSource(
  'what clients at once hear of a session can be explained by one call after the other',
  async () => {
    const instances = 2;
    const service = await ServiceUnderModel.start({
      databaseUrl: sharedDatabaseUrl(),
      instances,
      settings: hurriedSettings,
    });
    try {
      const options = { operations: OPERATIONS, instances, seed, atOnce: 5 };
      const result = await runConcurrentHistories(service, options);
      process.stderr.write(`concurrent clients: seed ${seed}, ${JSON.stringify(result)}\n`);
      expect(result.failure).toBeNull();
      expect(result.operations).toBeGreaterThanOrEqual(OPERATIONS);
      // Calls that came one after the other would show nothing.
      expect(result.overlapping).toBeGreaterThan(OPERATIONS);
    } finally {
      await service.stop();
    }
  },
  120_000,
);

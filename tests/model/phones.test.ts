import { scriptedRedis } from '../support/a-moving-trainer.js';
import { holds, phones } from './phones.js';

const DRIVES = 60;
const seed = Number(process.env['MODEL_SEED'] ?? Date.now() % 2 ** 31);

test.each(Object.entries(phones))('%s', async (_requirement, property) => {
  expect(await holds(property, scriptedRedis(), DRIVES, seed)).toBeNull();
});

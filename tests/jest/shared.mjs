import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** Quick tests without a service, Redis or Postgres. All others belong to the project "services". */
export const unitTests = [
  'config.test.ts',
  'packaging.test.ts',
  'client/!(fleet|migrated-app|package|react|real-service|testing).test.ts',
  'dev/load/*.test.ts',
  'dev/live-map-{screens,trip}.test.ts',
  'dev/simulation/*.test.ts',
  'faults/*.test.ts',
  'journeys/distance.test.ts',
  'live/*.test.ts',
  'model/linearizability.test.ts',
  'outbox/{backoff,event-batches}.test.ts',
  'telemetry/{load-monitor,logger}.test.ts',
].map((path) => join(root, 'tests', path));

export const shared = {
  rootDir: root,
  testEnvironment: 'node',
  transform: { '\\.[jt]s$': '@swc/jest' },
  // Packages that ship ES modules only.
  transformIgnorePatterns: ['/node_modules/(?!(jose|get-port)/)'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/infra/'],
};

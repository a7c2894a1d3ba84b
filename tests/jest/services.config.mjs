import { shared, unitTests } from './shared.mjs';

// Jest starts the servers only when it runs a test of this project.
export default {
  ...shared,
  displayName: 'services',
  testMatch: ['<rootDir>/tests/**/*.test.ts', ...unitTests.map((pattern) => `!${pattern}`)],
  testPathIgnorePatterns: [
    '/node_modules/',
    ...(process.env.TEST_SERVICE_IMAGE === undefined ? ['<rootDir>/tests/image/'] : []),
  ],
  globalSetup: '<rootDir>/tests/support/global-setup.mjs',
  globalTeardown: '<rootDir>/tests/support/global-teardown.mjs',
};

import { ConfigError, readConfig } from '../../src/config.js';

const least = {
  REDIS_URL: 'redis://127.0.0.1:6379',
  DATABASE_URL: 'postgres://user:password@127.0.0.1:5432/platform',
  AUTH_JWT_SECRET: 'a secret of at least 32 bytes, this one',
};

test('with only what has no default, every other setting has the default of the contract', () => {
  const config = readConfig(least);
  expect(config).toMatchObject({
    port: 3010,
    managementPort: 9464,
    redis: { commandTimeoutMs: 500 },
    postgres: { timeoutMs: 800 },
    eventBridge: { region: 'us-east-1', busName: 'application-events' },
    auth: { issuer: undefined, audience: undefined },
    corsOrigins: [],
    trustedProxies: 1,
    logLevel: 'info',
    shutdownDelayMs: 5_000,
    rules: {
      journeyTtlSeconds: 3_600,
      locationTtlSeconds: 300,
      endedTtlSeconds: 300,
      updateIntervalMs: 5_000,
      updateToleranceMs: 1_000,
      maxSpeedKmh: 120,
      arrivalRadiusMeters: 150,
      coarseAccuracyMeters: 100,
    },
  });
});

test.each(['redis://127.0.0.1:6379', 'rediss://:password@cache.example.com:6380/2'])(
  'REDIS_URL may be %s',
  (url) => {
    expect(readConfig({ ...least, REDIS_URL: url }).redis.url).toBe(url);
  },
);

test.each([
  ['PORT', 'http'],
  ['PORT', '65536'],
  ['PORT', '-1'],
  ['PORT', '3010.5'],
  ['MANAGEMENT_PORT', 'none'],
  ['REDIS_URL', ''],
  ['REDIS_URL', 'localhost:6379'],
  ['REDIS_URL', 'http://localhost:6379'],
  ['REDIS_COMMAND_TIMEOUT_MS', '0'],
  ['REDIS_COMMAND_TIMEOUT_MS', '5 seconds'],
  ['DATABASE_URL', ''],
  ['DATABASE_URL', 'mysql://user@db/platform'],
  ['POSTGRES_TIMEOUT_MS', '-1'],
  ['AUTH_JWT_SECRET', 'far too short'],
  ['CORS_ORIGINS', 'app.example.com'],
  ['CORS_ORIGINS', 'https://app.example.com/path'],
  ['TRUST_PROXY', '-1'],
  ['TRUST_PROXY', 'yes'],
  ['LOG_LEVEL', 'loud'],
  ['SHUTDOWN_DELAY_MS', 'NaN'],
  ['JOURNEY_TTL_SECONDS', '0'],
  ['JOURNEY_TTL_SECONDS', '1e99'],
  ['LOCATION_TTL_SECONDS', '1.5'],
  ['ENDED_TTL_SECONDS', '0'],
  ['UPDATE_INTERVAL_MS', '0'],
  ['UPDATE_TOLERANCE_MS', '-1'],
  ['MAX_SPEED_KMH', 'Infinity'],
  ['ARRIVAL_RADIUS_METERS', '-150'],
  ['COARSE_ACCURACY_METERS', 'coarse'],
])('%s=%s is refused by a message that names it and what it should be', (name, value) => {
  const message = problemOf({ ...least, [name]: value });
  expect(message).toMatch(new RegExp(`\\b${name}\\b.* must `));
});

test('a message names every setting that is missing or wrong, each on a line of its own', () => {
  const message = problemOf({ PORT: 'http', LOG_LEVEL: 'loud', UPDATE_INTERVAL_MS: '-5' });
  const wrong = ['PORT', 'REDIS_URL', 'DATABASE_URL', 'LOG_LEVEL', 'UPDATE_INTERVAL_MS', 'AUTH_JWT_SECRET'];
  for (const name of wrong) {
    expect(message.split('\n').filter((line) => new RegExp(`\\b${name}\\b`).test(line))).toHaveLength(1);
  }
});

test('both kinds of token keys at once are refused', () => {
  const message = problemOf({ ...least, AUTH_JWKS_URL: 'https://auth.example.com/.well-known/jwks.json' });
  expect(message).toMatch(/AUTH_JWKS_URL.*AUTH_JWT_SECRET/);
});

test('a secret is measured in bytes, not letters', () => {
  const AUTH_JWT_SECRET = 'ಬೆಂಗಳೂರು ನಗರ';
  expect(AUTH_JWT_SECRET.length).toBeLessThan(32);
  expect(() => readConfig({ ...least, AUTH_JWT_SECRET })).not.toThrow();
});

test('a message never shows the value of a secret or of a URL with a password', () => {
  const message = problemOf({
    AUTH_JWT_SECRET: 'far too short',
    DATABASE_URL: 'mysql://user:hunter2@db/platform',
    REDIS_URL: 'http://:hunter3@cache',
  });
  expect(message).not.toMatch(/far too short|hunter/);
});

test('a setting that is set to nothing has its default', () => {
  expect(readConfig({ ...least, PORT: '', LOG_LEVEL: '' })).toMatchObject({ port: 3010, logLevel: 'info' });
});

test('several CORS origins are taken with commas between and spaces around', () => {
  const config = readConfig({ ...least, CORS_ORIGINS: 'https://app.example.com, http://localhost:3000' });
  expect(config.corsOrigins).toEqual(['https://app.example.com', 'http://localhost:3000']);
});

function problemOf(environment: Record<string, string>): string {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('taken, but should have been refused');
}

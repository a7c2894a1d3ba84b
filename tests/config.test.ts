import { ConfigError, readConfig } from '../src/config.js';

const needed = {
  REDIS_URL: 'redis://127.0.0.1:6379',
  DATABASE_URL: 'postgres://user:very-secret-password@127.0.0.1:5432/platform',
  AUTH_JWT_SECRET: 'a secret of at least 32 bytes, really',
};

/** What the process says when it does not start with these settings; '' where it does. */
function complaint(settings: Record<string, string | undefined>): string {
  try {
    readConfig(settings);
    return '';
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
}

test('what is not set is as the contract says', () => {
  expect(readConfig(needed)).toMatchObject({
    ...{
      port: 3010,
      managementPort: 9464,
      corsOrigins: [],
      trustedProxies: 1,
      logLevel: 'info',
      shutdownDelayMs: 5000,
    },
    redis: { commandTimeoutMs: 500 },
    postgres: { timeoutMs: 800 },
    eventBridge: { region: 'us-east-1', busName: 'application-events' },
    rules: {
      ...{ journeyTtlSeconds: 3600, locationTtlSeconds: 300, endedTtlSeconds: 300, updateIntervalMs: 5000 },
      ...{ updateToleranceMs: 1000, maxSpeedKmh: 120, arrivalRadiusMeters: 150, coarseAccuracyMeters: 100 },
    },
  });
});

test('an empty setting is one that is not set', () => {
  expect(readConfig({ ...needed, PORT: '', AUTH_JWKS_URL: '', AUTH_ISSUER: '' })).toMatchObject({
    port: 3010,
  });
});

const numbers = [
  ...[
    'PORT',
    'MANAGEMENT_PORT',
    'REDIS_COMMAND_TIMEOUT_MS',
    'REDIS_PARTITIONS',
    'POSTGRES_TIMEOUT_MS',
    'TRUST_PROXY',
    'SHUTDOWN_DELAY_MS',
  ],
  ...[
    'JOURNEY_TTL_SECONDS',
    'LOCATION_TTL_SECONDS',
    'ENDED_TTL_SECONDS',
    'UPDATE_INTERVAL_MS',
    'UPDATE_TOLERANCE_MS',
  ],
  ...['MAX_SPEED_KMH', 'ARRIVAL_RADIUS_METERS', 'COARSE_ACCURACY_METERS'],
];
const noNumbers = ['abc', '-1', '1.5', 'true', 'NaN', 'Infinity', '99999999999', '12 s', '1,000', ' '];
const wrong: [name: string, value: string | undefined][] = [
  ...numbers.flatMap((name) => noNumbers.map((value): [string, string] => [name, value])),
  ['PORT', '65536'],
  ['JOURNEY_TTL_SECONDS', '0'],
  ['LOCATION_TTL_SECONDS', '0'],
  ['MAX_SPEED_KMH', '0'],
  ['REDIS_COMMAND_TIMEOUT_MS', '0'],
  ['REDIS_URL', undefined],
  ['REDIS_URL', 'localhost:6379'],
  ['REDIS_URL', 'http://localhost'],
  ['REDIS_URL', 'not a url'],
  ['DATABASE_URL', undefined],
  ['DATABASE_URL', 'mysql://localhost/x'],
  ['DATABASE_URL', 'platform'],
  ['REDIS_CLUSTER', 'yes'],
  ['AUTH_JWT_SECRET', undefined],
  ['AUTH_JWT_SECRET', 'x'.repeat(31)],
  ['AUTH_JWT_SECRET_NEXT', 'x'.repeat(31)],
  ['EMBEDDED_METRICS_NAMESPACE', 'AWS/ECS'],
  ['EMBEDDED_METRICS_NAMESPACE', 'admin service'],
  ['AUTH_JWKS_URL', 'not a url'],
  ['AUTH_JWKS_URL', 'ftp://auth.example.com/keys'],
  ['LOG_LEVEL', 'loud'],
  ['CORS_ORIGINS', '*'],
  ['CORS_ORIGINS', 'app.example.com'],
  ['CORS_ORIGINS', 'https://app.example.com/path'],
];

test.each(wrong)('%s=%s stops the start, and is named', (name, value) => {
  expect(complaint({ ...needed, [name]: value })).toContain(name);
});

test('all that is missing or wrong is named in one message, each with what it should be', () => {
  const bad = {
    PORT: 'x',
    REDIS_URL: 'x',
    MAX_SPEED_KMH: '-1',
    LOG_LEVEL: 'x',
    CORS_ORIGINS: 'x',
    AUTH_JWT_SECRET: 'x',
  };
  const message = complaint(bad);
  for (const name of [...Object.keys(bad), 'DATABASE_URL']) {
    const line = message.split('\n').find((each) => each.includes(name));
    expect(line).toMatch(new RegExp(`${name}.* must be`));
  }
});

test('an empty environment names all that is needed', () => {
  const message = complaint({});
  for (const name of ['REDIS_URL', 'DATABASE_URL', 'AUTH_JWKS_URL', 'AUTH_JWT_SECRET'])
    expect(message).toContain(name);
});

test('no value is in the message: it may be a secret', () => {
  const message = complaint({
    ...needed,
    AUTH_JWT_SECRET: 'short-secret',
    DATABASE_URL: 'http://u:pass-word@x/y',
  });
  expect(message).not.toMatch(/short-secret|pass-word|very-secret/);
});

test('a secret of 32 bytes is long enough, bytes and not letters counted', () => {
  expect(complaint({ ...needed, AUTH_JWT_SECRET: 'x'.repeat(32) })).toBe('');
  expect(complaint({ ...needed, AUTH_JWT_SECRET: 'é'.repeat(16) })).toBe('');
});

test('keys by URL do in place of a secret', () => {
  const settings = {
    ...needed,
    AUTH_JWT_SECRET: undefined,
    AUTH_JWKS_URL: 'https://auth.example.com/jwks.json',
  };
  expect(complaint(settings)).toBe('');
});

test('redis over TLS is taken', () => {
  expect(complaint({ ...needed, REDIS_URL: 'rediss://:pw@cache.example.com:6380' })).toBe('');
});

test('origins are taken with commas between', () => {
  const { corsOrigins } = readConfig({
    ...needed,
    CORS_ORIGINS: 'https://a.example.com, http://localhost:3000',
  });
  expect(corsOrigins).toEqual(['https://a.example.com', 'http://localhost:3000']);
});

test("Redis' password may come by itself, with whatever letters are in it", () => {
  const { redis } = readConfig({
    ...needed,
    REDIS_URL: 'rediss://cache.example.com:6380/2',
    REDIS_PASSWORD: 'p@ss/w:rd%3A#?',
  });
  const url = new URL(redis.url);
  expect(decodeURIComponent(url.password)).toBe('p@ss/w:rd%3A#?');
  expect([url.protocol, url.host, url.pathname]).toEqual(['rediss:', 'cache.example.com:6380', '/2']);
});

test('a cluster has 64 partitions unless told, and one Redis has none', () => {
  const partitions = (more: object) => readConfig({ ...needed, ...more }).redis.partitions;
  expect(partitions({})).toBeNull();
  expect(partitions({ REDIS_CLUSTER: 'true' })).toBe(64);
  expect(partitions({ REDIS_CLUSTER: 'true', REDIS_PARTITIONS: '12' })).toBe(12);
  expect(complaint({ ...needed, REDIS_PARTITIONS: '0' })).toMatch(/REDIS_PARTITIONS must be/);
});

test('a cluster with another database than its only one is refused', () => {
  const settings = { ...needed, REDIS_CLUSTER: 'true', REDIS_URL: 'redis://cache.example.com/2' };
  expect(complaint(settings)).toMatch(/REDIS_URL must not name a database/);
});

test('the sentinels are addresses with commas between, and know the primary as mymaster unless told', () => {
  const { redis } = readConfig({ ...needed, REDIS_SENTINELS: '10.0.0.1:26379, sentinel-2:26380' });
  expect(redis.sentinels).toMatchObject({
    addresses: [
      { host: '10.0.0.1', port: 26379 },
      { host: 'sentinel-2', port: 26380 },
    ],
    name: 'mymaster',
  });
  expect(complaint({ ...needed, REDIS_SENTINELS: '10.0.0.1' })).toMatch(/REDIS_SENTINELS must be/);
});

test.each([
  ['REDIS_SENTINELS', '10.0.0.1:26379'],
  ['REDIS_WAIT_REPLICAS', '1'],
])('%s beside a cluster is refused', (name, value) => {
  expect(complaint({ ...needed, REDIS_CLUSTER: 'true', [name]: value })).toMatch(new RegExp(`${name} must`));
});

test('two passwords of Redis are refused', () => {
  const settings = { ...needed, REDIS_URL: 'redis://:one@cache.example.com', REDIS_PASSWORD: 'two' };
  expect(complaint(settings)).toMatch(/REDIS_PASSWORD must not/);
});

const parts = {
  DATABASE_HOST: 'db.example.com',
  DATABASE_NAME: 'platform',
  DATABASE_USERNAME: 'reader@home',
  DATABASE_PASSWORD: 'p@ss/w:rd%3A#?',
};
const inParts = { ...needed, DATABASE_URL: undefined, ...parts };

test("the database may be given in parts, as AWS' secrets have them", () => {
  const url = new URL(readConfig({ ...inParts, DATABASE_PORT: '6543' }).postgres.url);
  expect([url.username, url.password].map(decodeURIComponent)).toEqual(['reader@home', 'p@ss/w:rd%3A#?']);
  expect([url.host, url.pathname]).toEqual(['db.example.com:6543', '/platform']);
  expect(new URL(readConfig(inParts).postgres.url).port).toBe('5432');
});

test.each(Object.keys(parts))(
  'the other parts of the database without %s are refused, and it is named',
  (name) => {
    expect(complaint({ ...inParts, [name]: undefined })).toMatch(new RegExp(`^ *${name} must be set`, 'm'));
  },
);

test.each([
  ...Object.entries(parts),
  ['DATABASE_PORT', '5432'],
  ['DATABASE_CA', '-----BEGIN CERTIFICATE-----'],
])('%s beside a DATABASE_URL is refused', (name, value) => {
  expect(complaint({ ...needed, [name]: value })).toMatch(new RegExp(`${name} must not be set`));
});

test.each([
  ['DATABASE_HOST', 'db.example.com/x'],
  ['DATABASE_HOST', 'user@db'],
  ['DATABASE_NAME', 'platform?sslmode=disable'],
  ['DATABASE_PORT', '0'],
  ['DATABASE_CA', '/etc/ssl/ca.pem'],
])('%s=%s among the parts is refused', (name, value) => {
  expect(complaint({ ...inParts, [name]: value })).toMatch(new RegExp(`${name} must be`));
});

test('a next secret is for secrets alone', () => {
  const AUTH_JWT_SECRET_NEXT = 'the next secret of at least 32 bytes';
  expect(complaint({ ...needed, AUTH_JWT_SECRET_NEXT })).toBe('');
  const byUrl = {
    ...needed,
    AUTH_JWT_SECRET: undefined,
    AUTH_JWKS_URL: 'https://auth.example.com/jwks.json',
  };
  expect(complaint({ ...byUrl, AUTH_JWT_SECRET_NEXT })).toMatch(/AUTH_JWT_SECRET_NEXT must not/);
  expect(complaint({ ...needed, AUTH_JWT_SECRET: undefined, AUTH_JWT_SECRET_NEXT })).toMatch(
    /AUTH_JWT_SECRET must be set/,
  );
});

test('a secret and a key server at once are refused', () => {
  const message = complaint({ ...needed, AUTH_JWKS_URL: 'https://auth.example.com/jwks.json' });
  expect(message).toContain('AUTH_JWKS_URL');
  expect(message).toContain('AUTH_JWT_SECRET');
});

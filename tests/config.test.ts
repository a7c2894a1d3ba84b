import { ConfigError, readConfig } from '../src/config.js';
import { authority, stranger } from './support/tls-proxy.js';

const required = {
  REDIS_URL: 'redis://127.0.0.1:6379',
  DATABASE_URL: 'postgres://user:very-secret-password@127.0.0.1:5432/platform',
  AUTH_JWT_SECRET: 'a secret of at least 32 bytes, really',
};

/** The error message for these settings; '' if they are valid. */
function problemOf(settings: Record<string, string | undefined>): string {
  try {
    readConfig(settings);
    return '';
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
}

test('the defaults are those of the contract', () => {
  expect(readConfig(required)).toMatchObject({
    ...{ port: 3010, managementPort: 9464, corsOrigins: [], trustedProxies: 1 },
    ...{ logLevel: 'info', shutdownDelayMs: 5000 },
    redis: { commandTimeoutMs: 500 },
    postgres: { timeoutMs: 800 },
    eventBridge: { region: 'us-east-1', busName: 'application-events' },
    auth: { issuer: undefined, audience: undefined },
    rules: {
      ...{ journeyTtlSeconds: 3600, locationTtlSeconds: 300, endedTtlSeconds: 300, updateIntervalMs: 5000 },
      ...{ updateToleranceMs: 1000, maxSpeedKmh: 120, arrivalRadiusMeters: 150, coarseAccuracyMeters: 100 },
      nearbyRadiusMeters: 500,
    },
  });
});

test('an empty setting gets its default', () => {
  expect(readConfig({ ...required, PORT: '', AUTH_JWKS_URL: '' })).toMatchObject({ port: 3010 });
});

const notNumbers = ['abc', '-1', '1.5', 'true', 'NaN', 'Infinity', '99999999999', '12 s', '1,000', ' '];
const invalid: [name: string, value: string | undefined][] = [
  ...notNumbers.map((value): [string, string] => ['PORT', value]),
  ['PORT', '65536'],
  ['MANAGEMENT_PORT', 'x'],
  ['REDIS_URL', undefined],
  ['REDIS_URL', 'localhost:6379'],
  ['REDIS_URL', 'http://localhost'],
  ['REDIS_URL', 'not a url'],
  ['REDIS_COMMAND_TIMEOUT_MS', '0'],
  ['REDIS_CLUSTER', 'yes'],
  ['REDIS_PARTITIONS', '0'],
  ['REDIS_SENTINELS', '10.0.0.1'],
  ['DATABASE_URL', undefined],
  ['DATABASE_URL', 'mysql://localhost/x'],
  ['DATABASE_URL', 'platform'],
  ['POSTGRES_TIMEOUT_MS', '-1'],
  ['AUTH_JWT_SECRET', undefined],
  ['AUTH_JWT_SECRET', 'x'.repeat(31)],
  ['AUTH_JWT_SECRET_NEXT', 'x'.repeat(31)],
  ['AUTH_JWKS_URL', 'not a url'],
  ['AUTH_JWKS_URL', 'ftp://auth.example.com/keys'],
  ['CORS_ORIGINS', '*'],
  ['CORS_ORIGINS', 'app.example.com'],
  ['CORS_ORIGINS', 'https://app.example.com/path'],
  ...[
    'https://*',
    'https://*.com',
    'https://app*.example.com',
    'https://a.*.example.com',
    '*://app.example.com',
  ].map((origin): [string, string] => ['CORS_ORIGINS', origin]),
  ...[
    'null',
    'file://',
    'capacitor://',
    'capacitor://localhost/',
    'capacitor://*',
    'https://APP.example.com',
  ].map((origin): [string, string] => ['CORS_ORIGINS', origin]),
  ['TRUST_PROXY', 'yes'],
  ['LOG_LEVEL', 'loud'],
  ['EMBEDDED_METRICS_NAMESPACE', 'AWS/ECS'],
  ['EMBEDDED_METRICS_NAMESPACE', 'admin service'],
  ['SHUTDOWN_DELAY_MS', '12001'],
  ['JOURNEY_TTL_SECONDS', '0'],
  ['LOCATION_TTL_SECONDS', '0'],
  ['ENDED_TTL_SECONDS', '0'],
  ['UPDATE_INTERVAL_MS', '0'],
  ['UPDATE_TOLERANCE_MS', '-1'],
  ['MAX_SPEED_KMH', '0'],
  ['ARRIVAL_RADIUS_METERS', '-150'],
  ['COARSE_ACCURACY_METERS', 'coarse'],
  ['NEARBY_RADIUS_METERS', '0'],
  ['TRAINER_NEARBY_EVENTS', 'yes'],
  ['TRAINER_LOCATION_STALE_EVENTS', 'FALSE'],
];

test.each(invalid)('%s=%s is refused with a message that says what it must be', (name, value) => {
  expect(problemOf({ ...required, [name]: value })).toMatch(new RegExp(`\\b${name}\\b.* must be `));
});

test('one message names every missing or invalid setting, each on its own line', () => {
  const bad = { PORT: 'x', REDIS_URL: 'x', MAX_SPEED_KMH: '-1', LOG_LEVEL: 'x', CORS_ORIGINS: 'x' };
  const lines = problemOf(bad).split('\n');
  for (const name of [...Object.keys(bad), 'DATABASE_URL', 'AUTH_JWKS_URL', 'AUTH_JWT_SECRET']) {
    expect(lines.filter((line) => new RegExp(`\\b${name}\\b.* must be`).test(line))).toHaveLength(1);
  }
});

test('no message contains a value, which may be a secret', () => {
  const message = problemOf({
    AUTH_JWT_SECRET: 'short-secret',
    DATABASE_URL: 'http://user:pass-word@x/y',
    REDIS_URL: 'http://:hunter3@cache',
  });
  expect(message).not.toMatch(/short-secret|pass-word|hunter3/);
});

test('a secret needs 32 bytes, not 32 characters', () => {
  expect(problemOf({ ...required, AUTH_JWT_SECRET: 'x'.repeat(32) })).toBe('');
  expect(problemOf({ ...required, AUTH_JWT_SECRET: 'é'.repeat(16) })).toBe('');
});

test('either the URL of the token keys or a secret is required, not both', () => {
  const AUTH_JWKS_URL = 'https://auth.example.com/jwks.json';
  expect(problemOf({ ...required, AUTH_JWT_SECRET: undefined, AUTH_JWKS_URL })).toBe('');
  expect(problemOf({ ...required, AUTH_JWKS_URL })).toMatch(/AUTH_JWKS_URL.*AUTH_JWT_SECRET.*must be set/);
});

test('Redis may be reached over TLS', () => {
  expect(problemOf({ ...required, REDIS_URL: 'rediss://:pw@cache.example.com:6380' })).toBe('');
});

test('origins of any scheme, or of all subdomains, are separated by commas and optional spaces', () => {
  const origins = [
    ...['https://a.example.com', 'http://localhost:3000', 'http://[::1]:3000', 'https://*.example.com:8443'],
    ...['capacitor://localhost', 'ionic://localhost', 'tauri://localhost', 'my.app+x://com.example.app:1'],
  ];
  expect(readConfig({ ...required, CORS_ORIGINS: origins.join(', ') }).corsOrigins).toEqual(origins);
});

test("Redis' password may be a setting of its own, with any characters", () => {
  const { redis } = readConfig({
    ...required,
    REDIS_URL: 'rediss://cache.example.com:6380/2',
    REDIS_PASSWORD: 'p@ss/w:rd%3A#?',
  });
  const url = new URL(redis.url);
  expect(decodeURIComponent(url.password)).toBe('p@ss/w:rd%3A#?');
  expect([url.protocol, url.host, url.pathname]).toEqual(['rediss:', 'cache.example.com:6380', '/2']);
});

test('a cluster has 64 partitions by default, a single Redis none', () => {
  const partitions = (more: object) => readConfig({ ...required, ...more }).redis.partitions;
  expect(partitions({})).toBeNull();
  expect(partitions({ REDIS_CLUSTER: 'true' })).toBe(64);
  expect(partitions({ REDIS_CLUSTER: 'true', REDIS_PARTITIONS: '12' })).toBe(12);
});

test('a cluster with a database number is refused', () => {
  const settings = { ...required, REDIS_CLUSTER: 'true', REDIS_URL: 'redis://cache.example.com/2' };
  expect(problemOf(settings)).toMatch(/REDIS_URL must not contain a database number/);
});

test('sentinels are addresses separated by commas; the name of the primary is mymaster by default', () => {
  const { redis } = readConfig({ ...required, REDIS_SENTINELS: '10.0.0.1:26379, sentinel-2:26380' });
  expect(redis.sentinels).toMatchObject({
    addresses: [
      { host: '10.0.0.1', port: 26379 },
      { host: 'sentinel-2', port: 26380 },
    ],
    name: 'mymaster',
  });
});

test.each([
  ['REDIS_SENTINELS', '10.0.0.1:26379'],
  ['REDIS_WAIT_REPLICAS', '1'],
])('%s together with a cluster is refused', (name, value) => {
  expect(problemOf({ ...required, REDIS_CLUSTER: 'true', [name]: value })).toMatch(
    new RegExp(`${name} must`),
  );
});

test('two passwords for Redis are refused', () => {
  const settings = { ...required, REDIS_URL: 'redis://:one@cache.example.com', REDIS_PASSWORD: 'two' };
  expect(problemOf(settings)).toMatch(/REDIS_PASSWORD must not/);
});

const parts = {
  DATABASE_HOST: 'db.example.com',
  DATABASE_NAME: 'platform',
  DATABASE_USERNAME: 'reader@home',
  DATABASE_PASSWORD: 'p@ss/w:rd%3A#?',
};
const inParts = { ...required, DATABASE_URL: undefined, ...parts };

test('the database may be given in parts, like the secrets of AWS', () => {
  const url = new URL(readConfig({ ...inParts, DATABASE_PORT: '6543' }).postgres.url);
  expect([url.username, url.password].map(decodeURIComponent)).toEqual(['reader@home', 'p@ss/w:rd%3A#?']);
  expect([url.host, url.pathname]).toEqual(['db.example.com:6543', '/platform']);
  expect(new URL(readConfig(inParts).postgres.url).port).toBe('5432');
});

test.each(Object.keys(parts))('the parts of the database without %s are refused', (name) => {
  expect(problemOf({ ...inParts, [name]: undefined })).toMatch(new RegExp(`^ *${name} must be set`, 'm'));
});

test.each([...Object.entries(parts), ['DATABASE_PORT', '5432']])(
  '%s together with DATABASE_URL is refused',
  (name, value) => {
    expect(problemOf({ ...required, [name]: value })).toMatch(new RegExp(`${name} must not be set`));
  },
);

test.each([
  ['DATABASE_HOST', 'db.example.com/x'],
  ['DATABASE_HOST', 'user@db'],
  ['DATABASE_NAME', 'platform?sslmode=disable'],
  ['DATABASE_PORT', '0'],
])('%s=%s as a part of the database is refused', (name, value) => {
  expect(problemOf({ ...inParts, [name]: value })).toMatch(new RegExp(`${name} must be`));
});

const { pem } = authority;
const CERTIFICATE_END = '-----END CERTIFICATE-----';

test.each([
  ['as it is', pem],
  ['in one line with \\n', pem.replaceAll('\n', '\\n')],
  ['in one line with \\r\\n', pem.replaceAll('\n', '\\r\\n')],
  ['in one line with blanks', pem.replaceAll('\n', ' ')],
  ['with CRLF, indented and with text around it', `# RDS\r\n${pem.replaceAll('\n', '\r\n  ')}# end`],
])('the certificate authority of the database may be %s', (_form, DATABASE_CA) => {
  for (const settings of [required, inParts]) {
    expect(readConfig({ ...settings, DATABASE_CA }).postgres.ca).toBe(pem);
  }
});

test('all certificates of a bundle are used, in one line too', () => {
  const DATABASE_CA = `${stranger.pem}${pem}`.replaceAll('\n', '\\n');
  expect(readConfig({ ...required, DATABASE_CA }).postgres.ca).toBe(`${stranger.pem}${pem}`);
});

test.each([
  ['a path', '/etc/ssl/ca.pem'],
  ['a beginning alone', '-----BEGIN CERTIFICATE-----'],
  ['cut off', pem.slice(0, -40)],
  ['cut off before its end', `${pem.slice(0, 200)}\n${CERTIFICATE_END}`],
  ['a bundle whose second certificate is cut off', `${pem}${pem.slice(0, -40)}`],
  ['not base64', `-----BEGIN CERTIFICATE-----\n????\n${CERTIFICATE_END}`],
  ['a private key', pem.replaceAll('CERTIFICATE', 'PRIVATE KEY')],
])('a DATABASE_CA that is %s is refused at start', (_what, DATABASE_CA) => {
  expect(problemOf({ ...required, DATABASE_CA })).toMatch(/DATABASE_CA must be PEM certificates/);
});

test.each(['sslmode=require', 'sslmode=verify-full', 'ssl=true', 'uselibpqcompat=true&sslmode=verify-ca'])(
  'DATABASE_URL with %s does not replace DATABASE_CA',
  (parameters) => {
    const DATABASE_URL = `${required.DATABASE_URL}?application_name=x&${parameters}`;
    const { url } = readConfig({ ...required, DATABASE_URL, DATABASE_CA: pem }).postgres;
    expect(url).toBe(`${required.DATABASE_URL}?application_name=x`);
    expect(readConfig({ ...required, DATABASE_URL }).postgres.url).toBe(DATABASE_URL);
  },
);

test.each(['sslmode=disable', 'sslmode=no-verify', 'ssl=0', 'sslrootcert=/etc/ssl/ca.pem'])(
  'DATABASE_URL with %s contradicts DATABASE_CA and is refused',
  (parameter) => {
    const DATABASE_URL = `${required.DATABASE_URL}?${parameter}`;
    expect(problemOf({ ...required, DATABASE_URL, DATABASE_CA: pem })).toMatch(
      /DATABASE_URL must not contain ssl/,
    );
  },
);

test('a next secret requires a secret', () => {
  const AUTH_JWT_SECRET_NEXT = 'the next secret of at least 32 bytes';
  expect(problemOf({ ...required, AUTH_JWT_SECRET_NEXT })).toBe('');
  const byUrl = {
    ...required,
    AUTH_JWT_SECRET: undefined,
    AUTH_JWKS_URL: 'https://auth.example.com/jwks.json',
  };
  expect(problemOf({ ...byUrl, AUTH_JWT_SECRET_NEXT })).toMatch(/AUTH_JWT_SECRET_NEXT must not/);
  expect(problemOf({ ...required, AUTH_JWT_SECRET: undefined, AUTH_JWT_SECRET_NEXT })).toMatch(
    /AUTH_JWT_SECRET .*must be set/,
  );
});

test('a secret and a key server at once are refused', () => {
  const message = problemOf({ ...required, AUTH_JWKS_URL: 'https://auth.example.com/jwks.json' });
  expect(message).toContain('AUTH_JWKS_URL');
  expect(message).toContain('AUTH_JWT_SECRET');
});

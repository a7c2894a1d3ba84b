import { z } from 'zod';
import { filled, flag, url, whole, word } from './config/fields.js';
import { redisFields, redisProblems, redisSettings, type RedisConfig } from './config/redis.js';

const tokenSecret = () =>
  z
    .string()
    .refine((text) => Buffer.byteLength(text) >= 32, 'must be at least 32 bytes')
    .optional();

const AN_EXAMPLE_OF_A_DATABASE = 'postgres://user:password@127.0.0.1:5432/platform';

const Environment = z.object({
  PORT: whole(0, 65_535, 3010),
  MANAGEMENT_PORT: whole(0, 65_535, 9464),
  ...redisFields,
  DATABASE_URL: url(['postgres:', 'postgresql:'], AN_EXAMPLE_OF_A_DATABASE).optional(),
  DATABASE_HOST: word('a host name').optional(),
  DATABASE_PORT: whole(1, 65_535, 5432),
  DATABASE_NAME: word('the name of a database').optional(),
  DATABASE_USERNAME: filled().optional(),
  DATABASE_PASSWORD: filled().optional(),
  DATABASE_CA: z
    .string()
    .regex(/-----BEGIN CERTIFICATE-----/, 'must be certificates in PEM')
    .optional(),
  POSTGRES_TIMEOUT_MS: whole(10, 900, 800),
  AWS_REGION: z.string().min(1, 'must be a region, such as us-east-1').default('us-east-1'),
  EVENT_BRIDGE_BUS_NAME: z.string().min(1, 'must be the name of an event bus').default('application-events'),
  AWS_ENDPOINT_URL_EVENTBRIDGE: url(['http:', 'https:'], 'http://127.0.0.1:4010').optional(),
  AUTH_JWKS_URL: url(['http:', 'https:'], 'https://auth.example.com/.well-known/jwks.json').optional(),
  AUTH_JWT_SECRET: tokenSecret(),
  AUTH_JWT_SECRET_NEXT: tokenSecret(),
  AUTH_ISSUER: filled().optional(),
  AUTH_AUDIENCE: filled().optional(),
  CORS_ORIGINS: z
    .string()
    .default('')
    .transform((text) =>
      text
        .split(',')
        .map((origin) => origin.trim())
        .filter(Boolean),
    )
    .refine(
      (origins) => origins.every((origin) => URL.canParse(origin) && new URL(origin).origin === origin),
      'must be origins with commas between, such as https://app.example.com,https://admin.example.com',
    ),
  TRUST_PROXY: whole(0, 10, 1),
  LOG_LEVEL: z
    .enum(
      ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
      'must be fatal, error, warn, info, debug, trace or silent',
    )
    .default('info'),
  EMBEDDED_METRICS_NAMESPACE: z
    .string()
    .regex(/^(?!AWS\/)[\w./#:-]{1,255}$/, 'must be a namespace of CloudWatch, such as admin-service')
    .optional(),
  SHUTDOWN_DELAY_MS: whole(0, 12_000, 5_000),
  JOURNEY_TTL_SECONDS: whole(1, 86_400, 3_600),
  LOCATION_TTL_SECONDS: whole(1, 86_400, 300),
  ENDED_TTL_SECONDS: whole(1, 86_400, 300),
  UPDATE_INTERVAL_MS: whole(1, 3_600_000, 5_000),
  UPDATE_TOLERANCE_MS: whole(0, 3_600_000, 1_000),
  MAX_SPEED_KMH: whole(1, 100_000, 120),
  ARRIVAL_RADIUS_METERS: whole(1, 100_000, 150),
  COARSE_ACCURACY_METERS: whole(1, 100_000, 100),
  NEARBY_RADIUS_METERS: whole(1, 100_000, 500),
  TRAINER_NEARBY_EVENTS: flag(true),
  TRAINER_LOCATION_STALE_EVENTS: flag(true),
});

/** All settings, by the names and units of the code; the README lists the variables. */
export interface Config {
  port: number;
  managementPort: number;
  redis: RedisConfig;
  /** ca: with it the connection is encrypted, and the server's certificate checked by it. */
  postgres: { url: string; timeoutMs: number; ca: string | undefined };
  eventBridge: { region: string; busName: string; endpoint: string | undefined };
  auth: {
    key: { jwksUrl: string } | { secrets: string[] };
    issuer: string | undefined;
    audience: string | undefined;
  };
  corsOrigins: string[];
  trustedProxies: number;
  logLevel: string;
  /** Where CloudWatch is to put the metrics; undefined: they are only on the management port. */
  embeddedMetricsNamespace: string | undefined;
  shutdownDelayMs: number;
  rules: {
    journeyTtlSeconds: number;
    locationTtlSeconds: number;
    endedTtlSeconds: number;
    updateIntervalMs: number;
    updateToleranceMs: number;
    maxSpeedKmh: number;
    arrivalRadiusMeters: number;
    coarseAccuracyMeters: number;
    /** Below zero: TrainerNearby is not told. */
    nearbyRadiusMeters: number;
  };
  tellsStaleLocations: boolean;
}

/** Settings that are missing or wrong; the message names every one of them and what it should be. */
export class ConfigError extends Error {}

/** @throws ConfigError */
export function readConfig(environment: Record<string, string | undefined> = process.env): Config {
  // An empty variable is one that is not set: orchestrators pass on what they were not given as ''.
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const result = Environment.safeParse(set);
  const problems = [
    ...(result.error?.issues ?? []).map(describe),
    ...redisProblems(set),
    ...databaseProblems(set),
    ...tokenKeyProblems(set),
  ];
  if (!result.success || problems.length > 0) throw new ConfigError([CANNOT_START, ...problems].join('\n  '));
  const env = result.data;
  return {
    port: env.PORT,
    managementPort: env.MANAGEMENT_PORT,
    redis: redisSettings(env),
    postgres: { url: databaseUrl(env), timeoutMs: env.POSTGRES_TIMEOUT_MS, ca: env.DATABASE_CA },
    eventBridge: {
      region: env.AWS_REGION,
      busName: env.EVENT_BRIDGE_BUS_NAME,
      endpoint: env.AWS_ENDPOINT_URL_EVENTBRIDGE,
    },
    auth: {
      key: tokenKey(env),
      issuer: env.AUTH_ISSUER,
      audience: env.AUTH_AUDIENCE,
    },
    corsOrigins: env.CORS_ORIGINS,
    trustedProxies: env.TRUST_PROXY,
    logLevel: env.LOG_LEVEL,
    embeddedMetricsNamespace: env.EMBEDDED_METRICS_NAMESPACE,
    shutdownDelayMs: env.SHUTDOWN_DELAY_MS,
    rules: {
      journeyTtlSeconds: env.JOURNEY_TTL_SECONDS,
      locationTtlSeconds: env.LOCATION_TTL_SECONDS,
      endedTtlSeconds: env.ENDED_TTL_SECONDS,
      updateIntervalMs: env.UPDATE_INTERVAL_MS,
      updateToleranceMs: env.UPDATE_TOLERANCE_MS,
      maxSpeedKmh: env.MAX_SPEED_KMH,
      arrivalRadiusMeters: env.ARRIVAL_RADIUS_METERS,
      coarseAccuracyMeters: env.COARSE_ACCURACY_METERS,
      nearbyRadiusMeters: env.TRAINER_NEARBY_EVENTS ? env.NEARBY_RADIUS_METERS : -1,
    },
    tellsStaleLocations: env.TRAINER_LOCATION_STALE_EVENTS,
  };
}

const CANNOT_START = 'admin-service cannot start; these settings are missing or wrong:';

function describe(issue: z.core.$ZodIssue): string {
  return `${issue.path.join('.')} ${issue.message}`;
}

type Parsed = z.output<typeof Environment>;
type Given = Record<string, string | undefined>;

const DATABASE_PARTS = ['DATABASE_HOST', 'DATABASE_NAME', 'DATABASE_USERNAME', 'DATABASE_PASSWORD'];

function databaseUrl(env: Parsed): string {
  if (env.DATABASE_URL !== undefined) return env.DATABASE_URL;
  const [user, password] = [env.DATABASE_USERNAME, env.DATABASE_PASSWORD].map((text = '') =>
    encodeURIComponent(text),
  );
  return `postgres://${user}:${password}@${env.DATABASE_HOST}:${env.DATABASE_PORT}/${env.DATABASE_NAME}`;
}

/** One address or its parts: of both, nobody could say which one counts. */
function databaseProblems(set: Given): string[] {
  const missing = DATABASE_PARTS.filter((name) => set[name] === undefined);
  const parts = [...DATABASE_PARTS, 'DATABASE_PORT', 'DATABASE_CA'].filter((name) => set[name] !== undefined);
  if (set['DATABASE_URL'] !== undefined)
    return parts.map((name) => `${name} must not be set where DATABASE_URL is: it says that itself`);
  if (parts.length > 0) return missing.map((name) => `${name} must be set, as ${parts.join(', ')} is`);
  return [
    `DATABASE_URL must be set, such as ${AN_EXAMPLE_OF_A_DATABASE}, or else ${DATABASE_PARTS.join(', ')}`,
  ];
}

function tokenKey(env: Parsed): Config['auth']['key'] {
  if (env.AUTH_JWKS_URL !== undefined) return { jwksUrl: env.AUTH_JWKS_URL };
  return {
    secrets: [env.AUTH_JWT_SECRET, env.AUTH_JWT_SECRET_NEXT].filter((secret) => secret !== undefined),
  };
}

/** Two kinds of keys at once would let a token choose by which of them it is judged. */
function tokenKeyProblems(set: Given): string[] {
  const given = ['AUTH_JWKS_URL', 'AUTH_JWT_SECRET'].filter((name) => set[name] !== undefined);
  if (given.length !== 1)
    return [
      `AUTH_JWKS_URL or AUTH_JWT_SECRET must be set, and not both: the URL of the keys that tokens are signed with, or a shared secret of at least 32 bytes (${given.length === 0 ? 'none is' : 'both are'} set)`,
    ];
  return set['AUTH_JWKS_URL'] !== undefined && set['AUTH_JWT_SECRET_NEXT'] !== undefined
    ? ['AUTH_JWT_SECRET_NEXT must not be set where AUTH_JWKS_URL is']
    : [];
}

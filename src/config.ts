import { z } from 'zod';
import {
  databaseFields,
  databaseProblems,
  databaseSettings,
  type DatabaseConfig,
} from './config/database.js';
import { flag, integer, text, url } from './config/fields.js';
import { redisFields, redisProblems, redisSettings, type RedisConfig } from './config/redis.js';

const tokenSecret = () =>
  z
    .string()
    .refine((secret) => Buffer.byteLength(secret) >= 32, 'must be at least 32 bytes')
    .optional();

/** An Origin header as browsers send it; `*` only in place of subdomains, of a domain of two labels or more. */
function isOrigin(text: string): boolean {
  if (!/^https?:/.test(text)) return /^[a-z][a-z\d+.-]*:\/\/[\w.-]+(?::\d+)?$/.test(text);
  const subdomain = text.replace(/^(https?:\/\/)\*(?=(?:\.[\w-]+){2})/, '$1any');
  return URL.canParse(subdomain) && new URL(subdomain).origin === subdomain && !subdomain.includes('*');
}

const Environment = z.object({
  PORT: integer(0, 65_535, 3010),
  MANAGEMENT_PORT: integer(0, 65_535, 9464),
  ...redisFields,
  ...databaseFields,
  AWS_REGION: z.string().min(1, 'must be a region, for example us-east-1').default('us-east-1'),
  EVENT_BRIDGE_BUS_NAME: z.string().min(1, 'must be the name of an event bus').default('application-events'),
  AWS_ENDPOINT_URL_EVENTBRIDGE: url(['http:', 'https:'], 'http://127.0.0.1:4010').optional(),
  AUTH_JWKS_URL: url(['http:', 'https:'], 'https://auth.example.com/.well-known/jwks.json').optional(),
  AUTH_JWT_SECRET: tokenSecret(),
  AUTH_JWT_SECRET_NEXT: tokenSecret(),
  AUTH_ISSUER: text().optional(),
  AUTH_AUDIENCE: text().optional(),
  CORS_ORIGINS: z
    .string()
    .default('')
    .transform((list) =>
      list
        .split(',')
        .map((origin) => origin.trim())
        .filter(Boolean),
    )
    .refine(
      (origins) => origins.every(isOrigin),
      'must be a comma-separated list of origins, for example https://app.example.com,https://*.example.org,capacitor://localhost',
    ),
  TRUST_PROXY: integer(0, 10, 1),
  LOG_LEVEL: z
    .enum(
      ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
      'must be fatal, error, warn, info, debug, trace or silent',
    )
    .default('info'),
  EMBEDDED_METRICS_NAMESPACE: z
    .string()
    .regex(/^(?!AWS\/)[\w./#:-]{1,255}$/, 'must be a CloudWatch namespace, for example admin-service')
    .optional(),
  SHUTDOWN_DELAY_MS: integer(0, 12_000, 5_000),
  JOURNEY_TTL_SECONDS: integer(1, 86_400, 3_600),
  LOCATION_TTL_SECONDS: integer(1, 86_400, 300),
  ENDED_TTL_SECONDS: integer(1, 86_400, 300),
  UPDATE_INTERVAL_MS: integer(1, 3_600_000, 5_000),
  UPDATE_TOLERANCE_MS: integer(0, 3_600_000, 1_000),
  MAX_SPEED_KMH: integer(1, 100_000, 120),
  ARRIVAL_RADIUS_METERS: integer(1, 100_000, 150),
  COARSE_ACCURACY_METERS: integer(1, 100_000, 100),
  NEARBY_RADIUS_METERS: integer(1, 100_000, 500),
  TRAINER_NEARBY_EVENTS: flag(true),
  TRAINER_LOCATION_STALE_EVENTS: flag(true),
});

/** The settings by the names and units of the code; the README lists the environment variables. */
export interface Config {
  port: number;
  managementPort: number;
  redis: RedisConfig;
  postgres: DatabaseConfig;
  eventBridge: { region: string; busName: string; endpoint: string | undefined };
  auth: {
    key: { jwksUrl: string } | { secrets: string[] };
    issuer: string | undefined;
    audience: string | undefined;
  };
  corsOrigins: string[];
  trustedProxies: number;
  logLevel: string;
  /** Namespace for CloudWatch; undefined: metrics are only on the management port. */
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
    /** Negative: no TrainerNearby events. */
    nearbyRadiusMeters: number;
  };
  reportStaleLocations: boolean;
}

/** The message names every missing or invalid setting and what it must be. */
export class ConfigError extends Error {}

/** @throws ConfigError */
export function readConfig(environment: Record<string, string | undefined> = process.env): Config {
  // Orchestrators pass variables without a value as ''.
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const result = Environment.safeParse(set);
  const problems = [
    ...(result.error?.issues ?? []).map(describe),
    ...redisProblems(set),
    ...databaseProblems(set),
    ...tokenKeyProblems(set),
  ];
  if (!result.success || problems.length > 0) throw new ConfigError([CANNOT_START, ...problems].join('\n  '));
  return toConfig(result.data);
}

const CANNOT_START = 'admin-service cannot start. Missing or invalid settings:';

type Parsed = z.output<typeof Environment>;
type Variables = Record<string, string | undefined>;

function toConfig(env: Parsed): Config {
  return {
    port: env.PORT,
    managementPort: env.MANAGEMENT_PORT,
    redis: redisSettings(env),
    postgres: databaseSettings(env),
    eventBridge: {
      region: env.AWS_REGION,
      busName: env.EVENT_BRIDGE_BUS_NAME,
      endpoint: env.AWS_ENDPOINT_URL_EVENTBRIDGE,
    },
    auth: { key: tokenKey(env), issuer: env.AUTH_ISSUER, audience: env.AUTH_AUDIENCE },
    corsOrigins: env.CORS_ORIGINS,
    trustedProxies: env.TRUST_PROXY,
    logLevel: env.LOG_LEVEL,
    embeddedMetricsNamespace: env.EMBEDDED_METRICS_NAMESPACE,
    shutdownDelayMs: env.SHUTDOWN_DELAY_MS,
    rules: toRules(env),
    reportStaleLocations: env.TRAINER_LOCATION_STALE_EVENTS,
  };
}

function toRules(env: Parsed): Config['rules'] {
  return {
    journeyTtlSeconds: env.JOURNEY_TTL_SECONDS,
    locationTtlSeconds: env.LOCATION_TTL_SECONDS,
    endedTtlSeconds: env.ENDED_TTL_SECONDS,
    updateIntervalMs: env.UPDATE_INTERVAL_MS,
    updateToleranceMs: env.UPDATE_TOLERANCE_MS,
    maxSpeedKmh: env.MAX_SPEED_KMH,
    arrivalRadiusMeters: env.ARRIVAL_RADIUS_METERS,
    coarseAccuracyMeters: env.COARSE_ACCURACY_METERS,
    nearbyRadiusMeters: env.TRAINER_NEARBY_EVENTS ? env.NEARBY_RADIUS_METERS : -1,
  };
}

function describe(issue: z.core.$ZodIssue): string {
  return `${issue.path.join('.')} ${issue.message}`;
}

function tokenKey(env: Parsed): Config['auth']['key'] {
  if (env.AUTH_JWKS_URL !== undefined) return { jwksUrl: env.AUTH_JWKS_URL };
  return {
    secrets: [env.AUTH_JWT_SECRET, env.AUTH_JWT_SECRET_NEXT].filter((secret) => secret !== undefined),
  };
}

/** Not both kinds of keys: a token could choose which one verifies it. */
function tokenKeyProblems(set: Variables): string[] {
  const given = ['AUTH_JWKS_URL', 'AUTH_JWT_SECRET'].filter((key) => set[key] !== undefined);
  if (given.length !== 1)
    return [
      `AUTH_JWKS_URL (the URL of the token keys) or AUTH_JWT_SECRET (a shared secret of at least 32 bytes) must be set, and not both; ${given.length === 0 ? 'neither is' : 'both are'} set`,
    ];
  return set['AUTH_JWKS_URL'] !== undefined && set['AUTH_JWT_SECRET_NEXT'] !== undefined
    ? ['AUTH_JWT_SECRET_NEXT must not be set if AUTH_JWKS_URL is set']
    : [];
}

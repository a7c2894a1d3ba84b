import { z } from 'zod';

const whole = (from: number, to: number, standard: number) => {
  const message = `must be a whole number from ${from} to ${to}`;
  return z
    .string()
    .regex(/^\d+$/, message)
    .transform(Number)
    .refine((value) => value >= from && value <= to, message)
    .default(standard);
};
const flag = (standard: boolean) =>
  z
    .enum(['true', 'false'], 'must be true or false')
    .default(standard ? 'true' : 'false')
    .transform((text) => text === 'true');
const url = (protocols: string[], example: string) =>
  z
    .string({ error: `must be set, such as ${example}` })
    .refine(
      (text) => URL.canParse(text) && protocols.includes(new URL(text).protocol),
      `must be a URL such as ${example}`,
    );

const Environment = z.object({
  PORT: whole(0, 65_535, 3010),
  MANAGEMENT_PORT: whole(0, 65_535, 9464),
  REDIS_URL: url(['redis:', 'rediss:'], 'redis://127.0.0.1:6379'),
  REDIS_CLUSTER: z.literal('false', 'must be false: clusters are not supported yet').default('false'),
  REDIS_COMMAND_TIMEOUT_MS: whole(10, 800, 500),
  DATABASE_URL: url(['postgres:', 'postgresql:'], 'postgres://user:password@127.0.0.1:5432/platform'),
  POSTGRES_TIMEOUT_MS: whole(10, 900, 800),
  AWS_REGION: z.string().min(1, 'must be a region, such as us-east-1').default('us-east-1'),
  EVENT_BRIDGE_BUS_NAME: z.string().min(1, 'must be the name of an event bus').default('application-events'),
  AWS_ENDPOINT_URL_EVENTBRIDGE: url(['http:', 'https:'], 'http://127.0.0.1:4010').optional(),
  AUTH_JWKS_URL: url(['http:', 'https:'], 'https://auth.example.com/.well-known/jwks.json').optional(),
  AUTH_JWT_SECRET: z
    .string()
    .refine((text) => Buffer.byteLength(text) >= 32, 'must be at least 32 bytes')
    .optional(),
  AUTH_ISSUER: z.string().min(1, 'must not be empty').optional(),
  AUTH_AUDIENCE: z.string().min(1, 'must not be empty').optional(),
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
  redis: { url: string; commandTimeoutMs: number };
  postgres: { url: string; timeoutMs: number };
  eventBridge: { region: string; busName: string; endpoint: string | undefined };
  auth: {
    key: { jwksUrl: string } | { secret: string };
    issuer: string | undefined;
    audience: string | undefined;
  };
  corsOrigins: string[];
  trustedProxies: number;
  logLevel: string;
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
  const problems = [...(result.error?.issues ?? []).map(describe), ...tokenKeyProblems(set)];
  if (!result.success || problems.length > 0) throw new ConfigError([CANNOT_START, ...problems].join('\n  '));
  const env = result.data;
  return {
    port: env.PORT,
    managementPort: env.MANAGEMENT_PORT,
    redis: { url: env.REDIS_URL, commandTimeoutMs: env.REDIS_COMMAND_TIMEOUT_MS },
    postgres: { url: env.DATABASE_URL, timeoutMs: env.POSTGRES_TIMEOUT_MS },
    eventBridge: {
      region: env.AWS_REGION,
      busName: env.EVENT_BRIDGE_BUS_NAME,
      endpoint: env.AWS_ENDPOINT_URL_EVENTBRIDGE,
    },
    auth: {
      key:
        env.AUTH_JWKS_URL === undefined
          ? { secret: env.AUTH_JWT_SECRET ?? '' }
          : { jwksUrl: env.AUTH_JWKS_URL },
      issuer: env.AUTH_ISSUER,
      audience: env.AUTH_AUDIENCE,
    },
    corsOrigins: env.CORS_ORIGINS,
    trustedProxies: env.TRUST_PROXY,
    logLevel: env.LOG_LEVEL,
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

/** Two kinds of keys at once would let a token choose by which of them it is judged. */
function tokenKeyProblems(set: Record<string, string | undefined>): string[] {
  const given = ['AUTH_JWKS_URL', 'AUTH_JWT_SECRET'].filter((name) => set[name] !== undefined);
  if (given.length === 1) return [];
  return [
    `AUTH_JWKS_URL or AUTH_JWT_SECRET must be set, and not both: the URL of the keys that tokens are signed with, or a shared secret of at least 32 bytes (${given.length === 0 ? 'none is' : 'both are'} set)`,
  ];
}

import type { LocalEventBus } from '../../src/dev/event-bus/local-event-bus.js';
import { sharedDatabaseUrl, sharedRedisUrl, wantsCluster, wantsClusterTls } from './shared-services.js';
import { authority } from './tls-proxy.js';
import { SECRET } from './tokens.js';

/** The settings of a service of the tests, as an environment. */
export function testEnvironment(settings: Record<string, string> = {}): Record<string, string> {
  return {
    PORT: '0',
    MANAGEMENT_PORT: '0',
    REDIS_URL: sharedRedisUrl(),
    DATABASE_URL: sharedDatabaseUrl(),
    AUTH_JWT_SECRET: SECRET,
    LOG_LEVEL: 'debug',
    SHUTDOWN_DELAY_MS: '0',
    ...(wantsCluster && settings['REDIS_URL'] === undefined && { REDIS_CLUSTER: 'true' }),
    ...(wantsClusterTls && { NODE_EXTRA_CA_CERTS: authority.file }),
    ...settings,
  };
}

/** What the AWS SDK takes from the environment. */
export function awsEnvironment(bus: LocalEventBus): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_EVENTBRIDGE: bus.url,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  };
}

/** The longest timeouts, for tests that start many processes. */
export const PATIENT = { REDIS_COMMAND_TIMEOUT_MS: '800', POSTGRES_TIMEOUT_MS: '900' };

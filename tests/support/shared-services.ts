/** Whether the run's Redis is a cluster, and with TLS: `npm run test:cluster` and `test:cluster-tls`. */
export const wantsClusterTls = process.env['TEST_REDIS_CLUSTER'] === 'tls';
export const wantsCluster = wantsClusterTls || process.env['TEST_REDIS_CLUSTER'] === '1';

/** Where the run's Redis and Postgres are; set by global-setup.mjs before any test. */
export function sharedDatabaseUrl(): string {
  return required('SHARED_DATABASE_URL');
}

/** A logical database per Jest worker, because services of one database share an outbox. A cluster has only one. */
export function sharedRedisUrl(): string {
  const url = new URL(required('SHARED_REDIS_URL'));
  if (!wantsCluster) url.pathname = `/${Number(process.env['JEST_WORKER_ID'] ?? 1) % 16}`;
  return url.href;
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run the tests by npm test`);
  return value;
}

// JavaScript, because Jest loads its set-up outside of its own transforms; the work is in real-services.ts.
import { register } from 'tsx/esm/api';

export default async function globalSetup() {
  register();
  const { compileSource } = await import('./compiled-source.ts');
  await compileSource();
  const { startRealServices } = await import('./real-services.ts');
  const services = await startRealServices();
  globalThis.realServices = services;
  process.env.SHARED_REDIS_URL = services.redisUrl;
  process.env.SHARED_DATABASE_URL = services.databaseUrl;
  process.stderr.write(`\nReal services for the tests: ${services.means}\n`);
}

import { metric, runService, type RunningService } from '../support/running-service.js';
import { sharedRedisUrl } from '../support/shared-services.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { aSession } from '../support/a-session.js';

let proxy: TcpProxy;
let service: RunningService;
beforeEach(async () => {
  proxy = await startTcpProxy(sharedRedisUrl());
  service = await runService({ settings: { REDIS_URL: proxy.urlFor(sharedRedisUrl()) } });
});
afterEach(async () => {
  proxy.cut();
  await service.stop();
  await proxy.stop();
});

test('while Redis hangs, the metrics are available within its timeout and show the failures', async () => {
  const session = await aSession();
  proxy.freeze();
  await service.api.live(session.sessionId, session.studentToken);
  const startedAt = performance.now();
  const failures = (name: string, labels: string) => metric(service, `${name}_count`, labels);
  expect(await failures('redis_call_duration_seconds', 'operation="readLive",outcome="failed"')).toBe(1);
  expect(performance.now() - startedAt).toBeLessThan(2_000);
  expect(await failures('http_request_duration_seconds', 'status="503"')).toBeGreaterThanOrEqual(1);
});

test('while Redis is unavailable, unknown numbers are NaN, not 0', async () => {
  proxy.cut();
  for (const name of ['outbox_depth', 'journeys_active']) expect(await metric(service, name)).toBeNaN();
});

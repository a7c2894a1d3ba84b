import { aSession } from '../support/a-session.js';
import { fiveCalls } from '../support/five-calls.js';
import { putIntoOutbox } from '../support/outbox-entry.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { runService, type RunningService } from '../support/running-service.js';
import { until } from '../support/until.js';

let redis: PrivateRedis;
let service: RunningService;
beforeAll(async () => {
  redis = await startPrivateRedis();
  service = await runService({ settings: { REDIS_URL: redis.url } });
});
afterAll(async () => {
  await service.stop();
  await redis.stop();
});

test('while EventBridge hangs, calls are answered in time; afterwards all events are published', async () => {
  service.bus.failNext({ kind: 'hang' });
  const waiting = await putIntoOutbox(redis.client);
  await until('a call that hangs', () => service.bus.calls() > 0);
  const session = await aSession();
  for (let times = 5; times > 0; times--) {
    const start = await fiveCalls.start(service.url, session);
    const stop = await fiveCalls.stop(service.url, session);
    expect([start.status, stop.status]).toEqual([201, 200]);
    expect(Math.max(start.ms, stop.ms)).toBeLessThan(1_000);
  }
  expect(service.bus.received()).toEqual([]);
  await until('all events', () => service.eventsOf(session.sessionId).length === 10, 20_000);
  expect(service.eventsOf(waiting)).toHaveLength(1);
});

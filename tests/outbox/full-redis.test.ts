import { aSession } from '../support/a-session.js';
import { fiveCalls } from '../support/five-calls.js';
import { until } from '../support/until.js';
import { OwnService } from './own-service.js';

let own: OwnService;
beforeAll(async () => {
  own = await OwnService.start();
});
afterEach(async () => {
  own.service.bus.failWhile(undefined);
  await own.redis.config('SET', 'maxmemory', '0');
});
afterAll(() => own.stop());

const fill = () => own.redis.config('SET', 'maxmemory', '1');

test('the outbox of a full Redis drains, and each event is published once', async () => {
  own.service.bus.failWhile(() => ({ kind: 'error', status: 500, code: 'InternalException' }));
  const session = await aSession();
  expect((await fiveCalls.start(own.service.url, session)).status).toBe(201);
  const sessionIds = await own.putMany(150);
  await fill();
  expect((await fiveCalls.stop(own.service.url, session)).status).toBe(200);
  own.service.bus.failWhile(undefined);
  await own.everythingPublished();
  const counts = sessionIds.map((sessionId) => own.service.eventsOf(sessionId).length);
  expect(counts).toEqual(sessionIds.map(() => 1));
  const types = own.service.eventsOf(session.sessionId).map(({ detailType }) => detailType);
  expect(types.sort()).toEqual(['TrainerJourneyEnded', 'TrainerJourneyStarted']);
});

test('an event that is rejected while Redis is full becomes a dead letter', async () => {
  const refuses = ({ detail }: { detail: Record<string, unknown> }) => detail['sessionId'] === refused;
  own.service.bus.failWhile(() => ({ kind: 'error', status: 500, code: 'InternalException' }));
  const [refused, published] = await own.putMany(2);
  await fill();
  own.service.bus.failWhile(() => ({ kind: 'refuse', code: 'InvalidArgument', refuses }));
  await own.everythingPublished();
  expect(own.service.eventsOf(String(published))).toHaveLength(1);
  expect(JSON.stringify(await own.redis.xrange('journey:outbox:dead', '-', '+'))).toContain(refused);
});

test('a process shows that it lives also while Redis is full', async () => {
  await fill();
  const [consumer, first] = await until('a heartbeat', async () => {
    const relays = await own.redis.zrange('journey:relays', '0', '-1', 'WITHSCORES');
    return relays.length === 2 && relays;
  });
  const last = async () => Number(await own.redis.zscore('journey:relays', String(consumer)));
  await until('the next heartbeats', async () => (await last()) > Number(first) + 2_000);
});

import { aSession, metersNorth } from '../support/a-session.js';
import { data } from '../support/api.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { runService, type RunningService } from '../support/running-service.js';
import { aWaitingStudent, OFTEN } from '../support/waiting-polls.js';

let redis: PrivateRedis;
let services: RunningService[];
beforeAll(async () => {
  redis = await startPrivateRedis();
  const urls = ['', '/1', '/2'].map((database) => redis.url + database);
  services = await Promise.all(
    urls.map((url) => runService({ settings: { REDIS_URL: url, MAX_SPEED_KMH: '100000', ...OFTEN } })),
  );
});
afterAll(async () => {
  await Promise.all(services.map((service) => service.stop()));
  await redis.stop();
});

test('a waiting student sees no change of the same session in another database of the same Redis', async () => {
  const { sessionId, trainerToken, ...ids } = await aSession();
  const move = async (service: RunningService, meters: number) =>
    data(await service.api.update(trainerToken, { sessionId, ...metersNorth(meters) }));
  for (const { api } of services) data(await api.start(sessionId, trainerToken));
  for (const own of services) {
    const student = await aWaitingStudent(own, { sessionId, trainerToken, ...ids });
    for (const other of services) if (other !== own) await move(other, 1_000);
    await move(own, 2_000);
    expect(data(await student.answer)).toMatchObject({ location: metersNorth(2_000) });
  }
});

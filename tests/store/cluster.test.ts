import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import { aSession, metersNorth, type ASession } from '../support/a-session.js';
import { data, type Api } from '../support/api.js';
import { startRedisCluster, type RedisCluster } from '../support/redis-cluster.js';
import { clusterTag } from '../support/redis-of-the-run.js';
import { testWithRedisProgram } from '../support/redis-process-test.js';
import { metric, runService, type RunningService } from '../support/running-service.js';
import { PATIENT } from '../support/service-settings.js';
import { until } from '../support/until.js';
import { manyOf, waitingStudents } from '../support/waiting-polls.js';

let cluster: RedisCluster;
let services: RunningService[] = [];
let settings: Record<string, string>;

beforeAll(async () => {
  if (testWithRedisProgram !== test) return;
  cluster = await startRedisCluster();
  settings = { REDIS_URL: cluster.url, REDIS_CLUSTER: 'true', ...PATIENT };
  services = [await runService({ settings }), await runService({ settings })];
}, 120_000);

afterAll(async () => {
  if (testWithRedisProgram !== test) return;
  await Promise.all(services.map((each) => each.stop()));
  await cluster.stop();
}, 30_000);

const [one, other] = [() => services[0] as RunningService, () => services[1] as RunningService];
const manyPatiently = (api: Api, count: number) => manyOf(count, () => aJourney(api));
const eventsOf = (sessionId: string) => services.flatMap((service) => service.eventsOf(sessionId));
const post = (service: RunningService, { sessionId, trainerToken }: ASession) =>
  service.api.update(trainerToken, { sessionId, ...metersNorth(50), accuracy: 5 });

async function keysOf(text: string): Promise<string[]> {
  const found = await Promise.all(cluster.client.nodes('master').map((node) => node.keys(`*${text}*`)));
  return found.flat().sort();
}

testWithRedisProgram('a journey goes from its start to its arrival, whichever process is asked', async () => {
  const session = await aJourney(one().api);
  const { sessionId, trainerToken, studentToken } = session;
  expect((await other().api.start(sessionId, trainerToken)).status).toBe(409);
  data(await post(other(), session));
  expect((await post(one(), session)).status).toBe(429);
  expect(data(await one().api.live(sessionId, studentToken))).toMatchObject({
    isActive: true,
    location: metersNorth(50),
  });
  expect(data(await other().api.arrived(sessionId, trainerToken))).toMatchObject({ distance: 50 });
  expect(data(await one().api.live(sessionId, studentToken))).toMatchObject({ endedReason: 'arrived' });
});

testWithRedisProgram('a process is ready each time it is started', async () => {
  for (let start = 0; start < 8; start++) {
    const service = await runService({ settings });
    expect((await service.api.call('GET', '/health/ready')).status).toBe(200);
    await service.stop();
  }
});

testWithRedisProgram(
  'all keys of a session have the tag of its partition, the idempotency keys too',
  async () => {
    const session = await aSession();
    const { sessionId, trainerId, trainerToken } = session;
    data(await one().api.start(sessionId, trainerToken, { 'Idempotency-Key': randomUUID() }));
    const tag = clusterTag(sessionId);
    data(await post(one(), session));
    const names = [
      `journey:active:${sessionId}`,
      `journey:track:${sessionId}`,
      `location:rate:${trainerId}`,
      `location:trainer:${trainerId}:session:${sessionId}`,
      `session:meta:${sessionId}`,
    ];
    const found = await keysOf(sessionId.slice(1));
    expect(found.filter((key) => !key.includes('journey:idempotency:'))).toEqual(
      names.filter((name) => name.includes(sessionId)).map((name) => tag + name),
    );
    expect(await keysOf(`location:rate:${trainerId}`)).toEqual([`${tag}location:rate:${trainerId}`]);
    expect(await cluster.client.zscore(`${tag}journey:expiries`, sessionId)).not.toBeNull();
    data(await one().api.stop(sessionId, trainerToken, { 'Idempotency-Key': randomUUID() }));
    const left = await keysOf(sessionId);
    expect(left.filter((key) => !key.startsWith(tag))).toEqual([]);
    expect(left.filter((key) => key.includes('journey:idempotency:'))).toHaveLength(2);
  },
);

testWithRedisProgram('a student who waits sees the position that another process takes', async () => {
  const sessions = await manyPatiently(one().api, 6);
  const students = await waitingStudents(one(), sessions);
  for (const session of sessions) data(await post(other(), session));
  for (const { answer } of students) {
    expect(data(await answer)).toMatchObject({ location: metersNorth(50) });
    expect((await answer).ms).toBeLessThan(15_000);
  }
});

testWithRedisProgram(
  'each event of many sessions is published once, and both processes publish',
  async () => {
    const sessions = await manyPatiently(one().api, 50);
    // The process that reads first takes all entries, so a few starts may all go to one.
    await until('both have published', async () => {
      sessions.push(...(await manyPatiently(one().api, 10)));
      return services.every((service) =>
        sessions.some(({ sessionId }) => service.eventsOf(sessionId).length > 0),
      );
    });
    await until('all have come out', () => sessions.every(({ sessionId }) => eventsOf(sessionId).length > 0));
    await until('nothing waits', async () => (await metric(one(), 'outbox_depth')) === 0);
    expect(sessions.map(({ sessionId }) => eventsOf(sessionId).length)).toEqual(sessions.map(() => 1));
    expect(await metric(one(), 'journeys_active')).toBeGreaterThanOrEqual(60);
  },
);

testWithRedisProgram('a journey that reaches its limit is ended once', async () => {
  const third = await runService({ settings: { ...settings, JOURNEY_TTL_SECONDS: '2' } });
  services.push(third);
  const sessions = await manyPatiently(third.api, 12);
  const ends = (sessionId: string) =>
    eventsOf(sessionId).filter(({ detailType }) => detailType === 'TrainerJourneyEnded');
  await until(
    'all ends are published',
    () => sessions.every(({ sessionId }) => ends(sessionId).length > 0),
    20_000,
  );
  for (const { sessionId, studentToken } of sessions) {
    expect(ends(sessionId).map(({ detail }) => detail['reason'])).toEqual(['timeout']);
    expect(data(await one().api.live(sessionId, studentToken))).toMatchObject({ endedReason: 'timeout' });
    expect(await keysOf(`location:trainer:*${sessionId}`)).toEqual([]);
  }
});

testWithRedisProgram('a cluster without the scripts gets them again', async () => {
  const session = await aJourney(one().api);
  await Promise.all(cluster.client.nodes('master').map((node) => node.script('FLUSH')));
  data(await post(one(), session));
  data(await one().api.stop(session.sessionId, session.trainerToken));
});

testWithRedisProgram('no call touched several slots', () => {
  const logs = services.flatMap((service) => service.logLines().map((line) => JSON.stringify(line)));
  expect(logs.filter((line) => /CROSSSLOT|same slot|cannot be read/.test(line))).toEqual([]);
});

import { aJourney } from '../support/a-journey.js';
import { metersNorth, type ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { startRedisCluster, type ClusterNode, type RedisCluster } from '../support/redis-cluster.js';
import { clusterTag } from '../support/redis-of-the-run.js';
import { testWithRedisProgram } from '../support/redis-process-test.js';
import { PATIENT } from '../support/service-settings.js';
import { runService, type RunningService } from '../support/running-service.js';
import { SteadyTraffic } from '../support/steady-traffic.js';
import { until } from '../support/until.js';
import { manyOf, waitingStudents } from '../support/waiting-polls.js';

let cluster: RedisCluster;
let service: RunningService;
let journeys: ASession[];
let traffic: SteadyTraffic | undefined;

beforeAll(async () => {
  if (testWithRedisProgram !== test) return;
  cluster = await startRedisCluster();
  const often = { UPDATE_INTERVAL_MS: '1', UPDATE_TOLERANCE_MS: '1', ...PATIENT };
  service = await runService({ settings: { REDIS_URL: cluster.url, REDIS_CLUSTER: 'true', ...often } });
  journeys = await manyOf(12, () => aJourney(service.api));
}, 120_000);

afterAll(async () => {
  if (testWithRedisProgram !== test) return;
  await service.stop();
  await cluster.stop();
}, 30_000);

const journey = () => journeys[0] as ASession;
const slotOf = ({ sessionId }: ASession) =>
  cluster.client.cluster('KEYSLOT', clusterTag(sessionId) + sessionId);
const ownerOf = async (session: ASession) => cluster.ownerOf(await slotOf(session));

async function journeysBy(isOn: (owner: ClusterNode) => boolean): Promise<ASession[]> {
  const owners = await Promise.all(journeys.map(ownerOf));
  return journeys.filter((_session, index) => isOn(owners[index] as ClusterNode));
}

afterEach(async () => {
  await traffic?.stop();
  traffic = undefined;
});

/** Until each has been served that many times more. */
async function servedOn(traffic: SteadyTraffic, sessions: ASession[], times = 3): Promise<void> {
  const before = new Map(sessions.map((session) => [session, traffic.served(session)]));
  const isServed = (session: ASession) => traffic.served(session) >= (before.get(session) ?? 0) + times;
  await until('all are served', () => sessions.every(isServed), 30_000);
}

testWithRedisProgram(
  'while slots of active journeys migrate, each call is served or gets 503',
  async () => {
    const calls = (traffic = new SteadyTraffic(service, journeys));
    await servedOn(calls, journeys);
    for (const session of journeys.slice(0, 4)) {
      const migration = await cluster.beginMigration(await slotOf(session));
      while ((await migration.moveKeys(1)) > 0);
      await migration.finish();
      expect((await ownerOf(session)).port).toBe(migration.to.port);
      await servedOn(calls, journeys, 2);
    }
    await calls.stop();
    expect(calls.wrong).toEqual([]);
  },
  90_000,
);

testWithRedisProgram('a slot that stays open affects only its own partition', async () => {
  const slot = await slotOf(journey());
  const others = journeys.filter(
    ({ sessionId }) => clusterTag(sessionId) !== clusterTag(journey().sessionId),
  );
  const migration = await cluster.beginMigration(slot);
  await migration.moveKeys(1);
  const { sessionId, studentToken } = journey();
  const answer = await service.api.live(sessionId, studentToken);
  expect(refusal(answer)).toMatchObject({ status: 503, code: 'STATE_UNAVAILABLE' });
  expect(answer.headers['retry-after']).toBeDefined();
  for (const other of others) {
    expect(data(await service.api.live(other.sessionId, other.studentToken))).toMatchObject({
      isActive: true,
    });
  }
  await migration.finish();
  expect(data(await service.api.live(sessionId, studentToken))).toMatchObject({ isActive: true });
});

testWithRedisProgram(
  'a failover loses no journey, and the other partitions do not wait',
  async () => {
    const dying = await ownerOf(journey());
    const [affected, others] = [
      await journeysBy((owner) => owner === dying),
      await journeysBy((owner) => owner !== dying),
    ];
    const calls = (traffic = new SteadyTraffic(service, journeys));
    await servedOn(calls, journeys);
    await dying.client.wait(1, 5_000);
    await dying.kill();
    await servedOn(calls, others);
    expect((await fetch(`${service.url}/health/ready`)).status).toBe(200);
    await until(
      'the replica has taken over',
      async () => (await ownerOf(journey())).port !== dying.port,
      20_000,
    );
    await servedOn(calls, affected);
    await calls.stop();
    expect(calls.wrong).toEqual([]);
    await dying.startAgain();
    await cluster.untilSettled();
  },
  90_000,
);

testWithRedisProgram('afterwards waiting students see the next position', async () => {
  const students = await waitingStudents(service, journeys);
  const sent = journeys.map(({ sessionId, trainerToken }) =>
    service.api.update(trainerToken, { sessionId, ...metersNorth(201), sequence: 2 * Date.now() }),
  );
  for (const answer of await Promise.all(sent)) data(answer);
  for (const { answer } of students) expect((await answer).status).toBe(200);
});

testWithRedisProgram('and each journey ends once, with each of its events', async () => {
  for (const { sessionId, trainerToken } of journeys) data(await service.api.stop(sessionId, trainerToken));
  const types = (sessionId: string) => service.eventsOf(sessionId).map(({ detailType }) => detailType);
  const isEnded = ({ sessionId }: ASession) => types(sessionId).includes('TrainerJourneyEnded');
  await until('all ends are published', () => journeys.every(isEnded), 20_000);
  for (const { sessionId } of journeys) {
    const published = new Map(
      service.eventsOf(sessionId).map(({ detail, detailType }) => [detail['eventId'], detailType]),
    );
    expect([...published.values()].sort()).toEqual([
      'TrainerJourneyEnded',
      'TrainerJourneyStarted',
      'TrainerNearby',
    ]);
  }
});

testWithRedisProgram('no call touched several slots', () => {
  const lines = service.logLines().map((line) => JSON.stringify(line));
  expect(lines.filter((line) => /CROSSSLOT|same slot|cannot be read|request failed/.test(line))).toEqual([]);
});

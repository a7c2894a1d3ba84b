import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import { aSession, type ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { metric, runService, type RunningService } from '../support/running-service.js';
import { tokenFor } from '../support/tokens.js';
import { manyOf } from '../support/waiting-polls.js';

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

const GUESSES = 200;
const queries = () => metric(service, 'postgres_query_duration_seconds_count');
/** What is made at once with the last few of them. */
const SLACK = 25;

async function guess(call: (sessionId: string) => Promise<{ status: number }>) {
  const answers = await manyOf(GUESSES, () => call(randomUUID()));
  return answers.filter(({ status }) => status === 429);
}

const kinds = [
  ['polls', (token: string) => (id: string) => service.api.live(id, token)],
  [
    'waiting polls',
    (token: string) => (id: string) =>
      service.api.live(id, token, { 'If-None-Match': '"x"', Prefer: 'wait=20' }),
  ],
  ['starts', (token: string) => (id: string) => service.api.start(id, token)],
] as const;

describe.each(kinds)('who guesses sessions by %s', (_name, callWith) => {
  let session: ASession;
  beforeEach(async () => {
    session = await aJourney(service.api);
  });

  test('is told to pause, and neither Postgres nor Redis is troubled any more', async () => {
    const { trainerToken } = session;
    const before = { queries: await queries(), marks: await marks() };
    const refused = await guess(callWith(trainerToken));
    expect(refused.length).toBeGreaterThan(GUESSES / 2);
    expect(refusal(refused.at(-1) as never)).toMatchObject({
      code: 'RATE_LIMITED',
      details: { retryAfterMs: expect.any(Number) as number },
    });
    const asked = GUESSES - refused.length;
    expect((await queries()) - before.queries).toBeLessThanOrEqual(asked + SLACK);
    expect((await marks()) - before.marks).toBeLessThanOrEqual(asked + SLACK);
  });

  test("still sees the journey that is the caller's own, and no other caller suffers", async () => {
    const { sessionId, trainerToken, studentToken } = session;
    await guess(callWith(trainerToken));
    expect(data(await service.api.live(sessionId, trainerToken))['isActive']).toBe(true);
    expect(data(await service.api.live(sessionId, studentToken))['isActive']).toBe(true);
    const other = await aSession();
    expect((await service.api.start(other.sessionId, other.trainerToken)).status).toBe(201);
  });
});

test('the marks of sessions that do not exist go by themselves', async () => {
  const sessionId = randomUUID();
  await service.api.live(sessionId, await tokenFor(randomUUID(), 'student'));
  const left = await redis.client.ttl(`session:missing:${sessionId}`);
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThanOrEqual(30);
});

async function marks(): Promise<number> {
  return (await redis.client.keys('session:missing:*')).length;
}

import { aSession } from '../support/a-session.js';
import { data } from '../support/api.js';
import { startPrivateRedis } from '../support/private-redis.js';
import { runService } from '../support/running-service.js';
import { until } from '../support/until.js';

test('the limit holds although every task was down when it came: the next one to start ends the journey', async () => {
  const ownRedis = await startPrivateRedis();
  const settings = { REDIS_URL: ownRedis.url, JOURNEY_TTL_SECONDS: '1' };
  const before = await runService({ settings });
  const { sessionId, trainerToken, studentToken } = await aSession();
  const { expiresAt } = data(await before.api.start(sessionId, trainerToken));
  await before.stop();
  await until('the limit', async () => (await ownRedis.client.exists(`journey:active:${sessionId}`)) === 0);
  const after = await runService({ settings });
  try {
    expect(data(await after.api.live(sessionId, studentToken))).toMatchObject({ endedReason: 'timeout' });
    const ended = await until('the end', () =>
      after.eventsOf(sessionId).find(({ detailType }) => detailType === 'TrainerJourneyEnded'),
    );
    expect(ended.detail).toMatchObject({ reason: 'timeout', endTime: expiresAt });
  } finally {
    await after.stop();
    await ownRedis.stop();
  }
});

import { aJourney } from '../support/a-journey.js';
import { metersNorth } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { MovableClock } from '../support/movable-clock.js';
import { keyOf, sharedRedis } from '../support/redis-of-the-run.js';
import { runService, type RunningService } from '../support/running-service.js';

const MINUTE_MS = 60_000;
const clock = new MovableClock();
let service: RunningService;
beforeAll(async () => {
  service = await runService({ clock: clock.now });
});
afterAll(() => service.stop());

test('a journey that reached its limit unswept counts as ended for five minutes, like any other', async () => {
  const { sessionId, trainerToken, studentToken } = await aJourney(service.api);
  // Redis' clock does not move with the test's.
  await sharedRedis().del(keyOf.active(sessionId));
  clock.advance(66 * MINUTE_MS);
  const live = data(await service.api.live(sessionId, studentToken));
  expect(live).toMatchObject({ isActive: false });
  expect(live).not.toHaveProperty('endedReason');
  const update = await service.api.update(trainerToken, { sessionId, ...metersNorth(50) });
  expect(refusal(update)).toMatchObject({ status: 404, code: 'JOURNEY_NOT_ACTIVE' });
});

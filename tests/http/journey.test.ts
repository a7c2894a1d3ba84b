import { data, refusal } from '../support/api.js';
import { aSession, metersNorth } from '../support/a-session.js';
import { runService, type RunningService } from '../support/running-service.js';
import { until } from '../support/until.js';

let service: RunningService;
beforeAll(async () => {
  service = await runService();
});
afterAll(() => service.stop());

test('a journey goes from its start to the arrival, and its events come out', async () => {
  const { sessionId, trainerId, studentId, trainerToken, studentToken } = await aSession();
  const { api } = service;
  const started = data(await api.start(sessionId, trainerToken));
  expect(started).toMatchObject({ sessionId, trainerId, studentId, nextUpdateMs: 5000 });
  expect(data(await api.update(trainerToken, { sessionId, ...metersNorth(100), accuracy: 5 }))).toMatchObject(
    { sessionId, ttl: 300 },
  );
  expect(data(await api.live(sessionId, studentToken))).toMatchObject({
    isActive: true,
    trainerId,
    distanceMeters: 100,
  });
  expect(data(await api.arrived(sessionId, trainerToken))).toMatchObject({ sessionId, distance: 100 });
  expect(refusal(await api.stop(sessionId, trainerToken))).toMatchObject({
    status: 410,
    code: 'JOURNEY_ENDED',
  });
  const events = await until(
    'all events',
    () => service.eventsOf(sessionId).length === 3 && service.eventsOf(sessionId),
  );
  expect(events.map((event) => event.detailType)).toEqual([
    'TrainerJourneyStarted',
    'TrainerNearby',
    'TrainerJourneyEnded',
  ]);
});

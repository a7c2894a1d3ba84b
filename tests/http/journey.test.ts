import request from 'supertest';
import { aSession, metersNorth } from '../support/a-session.js';
import { runService, type RunningService } from '../support/running-service.js';
import { until } from '../support/until.js';

let service: RunningService;
beforeAll(async () => {
  service = await runService({ settings: { UPDATE_INTERVAL_MS: '1', MAX_SPEED_KMH: '100000' } });
});
afterAll(() => service.stop());

test('a trainer starts, drives and arrives while the student watches, and the events are published', async () => {
  const { sessionId, trainerId, studentId, trainerToken, studentToken } = await aSession();
  const trainer = (path: string) =>
    request(service.url).post(`/api/v1/admin${path}`).auth(trainerToken, { type: 'bearer' });
  const watch = () =>
    request(service.url)
      .get('/api/v1/admin/location-tracking/journey/live')
      .query({ sessionId })
      .auth(studentToken, { type: 'bearer' });
  const update = (sequence: number, meters: number) =>
    trainer('/location-tracking/journey/updates').send({
      sessionId,
      ...metersNorth(meters),
      accuracy: 30,
      sequence,
    });

  expect((await watch().expect(200)).body).toMatchObject({ success: true, data: { isActive: false } });
  const started = await trainer(`/sessions/${sessionId}/start-journey`).expect(201);
  expect(started.body).toMatchObject({ data: { sessionId, trainerId, studentId, nextUpdateMs: 1 } });
  expect((await watch().expect(200)).body).toMatchObject({ data: { isActive: true, location: null } });

  await update(1, 170).expect(201);
  expect((await watch().expect(200)).body).toMatchObject({
    data: { isActive: true, location: { sequence: 1 }, distanceMeters: 170, freshness: 'live' },
  });
  const tooFar = await trainer(`/sessions/${sessionId}/arrived`).expect(400);
  expect(tooFar.body).toMatchObject({ error: { code: 'NOT_AT_DESTINATION', details: { distance: 170 } } });

  // The third in a row is confirmed.
  await update(2, 101).expect(201);
  await update(3, 100).expect(201);
  const arrived = await trainer(`/sessions/${sessionId}/arrived`).expect(200);
  expect(arrived.body).toMatchObject({ data: { sessionId, distance: 100 } });
  expect((await watch().expect(200)).body).toMatchObject({
    data: { isActive: false, location: null, endedReason: 'arrived' },
  });
  const events = await until('all events', () => {
    const published = service.eventsOf(sessionId);
    return published.length === 3 && published.map(({ detailType }) => detailType);
  });
  expect(events).toEqual(['TrainerJourneyStarted', 'TrainerNearby', 'TrainerJourneyEnded']);
});

import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import { aSession } from '../support/a-session.js';
import { data } from '../support/api.js';
import { liveUrl, timedLive } from '../support/five-calls.js';
import { halfAnUpdate } from '../support/raw-http.js';
import { runService, type RunningService } from '../support/running-service.js';
import { tokenFor } from '../support/tokens.js';
import { until } from '../support/until.js';

const LIVE = '/location-tracking/journey/live';
const UPDATES = '/location-tracking/journey/updates';

let service: RunningService;
beforeAll(async () => {
  service = await runService({ settings: { LOG_LEVEL: 'info' } });
});
afterAll(() => service.stop());

test('a request is logged once with its id, method, route, status and duration', async () => {
  const { sessionId, trainerToken } = await aSession();
  const requestId = randomUUID();
  data(await service.api.start(sessionId, trainerToken, { 'X-Request-Id': requestId }));
  const lines = await linesOf(requestId);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({
    level: 'info',
    requestId,
    method: 'POST',
    route: '/sessions/:sessionId/start-journey',
    status: 201,
    durationMs: expect.any(Number) as number,
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
  });
});

test('successful polls are sampled, and the lines say how many were skipped', async () => {
  const session = await aJourney(service.api);
  await quietSecond();
  const before = service.logLines().length;
  const count = 400;
  const answers = await Promise.all(
    Array.from({ length: count }, () => timedLive(service.url, session.sessionId, session.studentToken)),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  await quietSecond();
  const since = service.logLines().slice(before);
  const lines = since.filter(({ route }) => route === LIVE);
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.length).toBeLessThan(count / 2);
  const skipped = since.reduce((sum, { notLoggedBefore }) => sum + Number(notLoggedBefore ?? 0), 0);
  expect(lines.length + skipped).toBeGreaterThanOrEqual(count);
});

test('every refused poll is logged with its status, and not as an error', async () => {
  const session = await aJourney(service.api);
  const stranger = await tokenFor(randomUUID(), 'student');
  const requestId = randomUUID();
  const headers = { Authorization: `Bearer ${stranger}`, 'X-Request-Id': requestId };
  const url = liveUrl(service.url, session.sessionId);
  await Promise.all(Array.from({ length: 100 }, () => fetch(url, { headers })));
  const lines = () => service.logLines().filter((line) => line['requestId'] === requestId);
  await until('all lines', () => lines().length === 100);
  expect(new Set(lines().map(({ level, status }) => `${String(level)} ${String(status)}`))).toEqual(
    new Set(['info 403']),
  );
});

test('a refused or lifecycle call is logged with session, caller, role and code, and without a coordinate', async () => {
  const { sessionId, trainerId, studentId, trainerToken, studentToken } = await aSession();
  const started = randomUUID();
  data(await service.api.start(sessionId, trainerToken, { 'X-Request-Id': started }));
  const caller = { sessionId, callerId: trainerId, role: 'trainer' };
  expect(await linesOf(started)).toMatchObject([caller]);
  const forbidden = randomUUID();
  await service.api.stop(sessionId, studentToken, { 'X-Request-Id': forbidden });
  expect(await linesOf(forbidden)).toMatchObject([
    { sessionId, callerId: studentId, role: 'student', errorCode: 'FORBIDDEN' },
  ]);
  for (const [refused, errorCode] of [
    [{ mocked: true }, 'LOCATION_MOCKED'],
    [{ latitude: 'north' }, 'VALIDATION_FAILED'],
  ] as const) {
    const requestId = randomUUID();
    const body = { sessionId, latitude: 12.345678, longitude: 77.5, ...refused };
    await service.api.update(trainerToken, body, { 'X-Request-Id': requestId });
    const lines = await linesOf(requestId);
    expect(lines).toMatchObject([{ ...caller, errorCode }]);
    expect(JSON.stringify(lines)).not.toMatch(/12\.345678|77\.5|eyJ/);
  }
});

test('successful health checks are not logged', async () => {
  await fetch(`${service.url}/health/live`);
  await fetch(`${service.url}/health/ready`);
  const requestId = randomUUID();
  await service.api.call('GET', '/nowhere', { headers: { 'X-Request-Id': requestId } });
  await linesOf(requestId);
  expect(service.logLines().filter(({ route }) => String(route).startsWith('/health'))).toEqual([]);
});

test('a request that its caller aborts is logged as aborted, and not as an error', async () => {
  const { sessionId, trainerToken } = await aSession();
  const requestId = randomUUID();
  const update = await halfAnUpdate(service.url, { sessionId, trainerToken, requestId });
  update.socket.destroy();
  expect(await linesOf(requestId)).toMatchObject([{ level: 'info', route: UPDATES, aborted: true }]);
});

function linesOf(requestId: string): Promise<Record<string, unknown>[]> {
  return until(`the line of ${requestId}`, () => {
    const lines = service.logLines().filter((line) => line['requestId'] === requestId);
    return lines.length > 0 && lines;
  });
}

/** Resolves when a poll is logged again, that is, when the sampling interval is over. */
async function quietSecond(): Promise<void> {
  const session = await aSession();
  await until('a poll is logged', async () => {
    const requestId = randomUUID();
    await service.api.live(session.sessionId, session.studentToken, { 'X-Request-Id': requestId });
    // A refused request is always logged, and comes after it.
    const after = randomUUID();
    await service.api.live(session.sessionId, 'not.a.token', { 'X-Request-Id': after });
    await linesOf(after);
    return service.logLines().some((line) => line['requestId'] === requestId);
  });
}

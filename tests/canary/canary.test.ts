import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { aSession, type ASession } from '../support/a-session.js';
import { data } from '../support/api.js';
import { compiledProgram } from '../support/compiled-source.js';
import { runService, type RunningService } from '../support/running-service.js';
import { tokenFor } from '../support/tokens.js';
import { until } from '../support/until.js';

let service: RunningService;
beforeAll(async () => {
  service = await runService();
});
afterAll(() => service.stop());

/** Runs the canary as its task does. */
async function canary(session: ASession, settings: Record<string, string> = {}) {
  const child = spawn(process.execPath, [compiledProgram('canary')], {
    env: {
      CANARY_URL: service.url,
      CANARY_SESSION_ID: session.sessionId,
      CANARY_TRAINER_TOKEN: session.trainerToken,
      CANARY_STUDENT_TOKEN: session.studentToken,
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].on('data', (chunk: Buffer) => {
      output[stream] += chunk.toString();
    });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output, log: () => JSON.parse(output.stdout) as Record<string, unknown> };
}

test('a canary journey passes, with its metrics in the log', async () => {
  const session = await aSession();
  const { code, log } = await canary(session);
  expect(log()).toMatchObject({
    msg: 'canary journey passed',
    canary_failed: 0,
    canary_duration_seconds: expect.any(Number) as unknown,
    _aws: { CloudWatchMetrics: [{ Namespace: 'admin-service', Dimensions: [[]] }] },
  });
  expect(code).toBe(0);
  await until('its events are published', () => service.eventsOf(session.sessionId).length === 2);
});

test('a journey that an earlier canary left running is ended', async () => {
  const session = await aSession();
  data(await service.api.start(session.sessionId, session.trainerToken));
  expect((await canary(session)).code).toBe(0);
  const live = data(await service.api.live(session.sessionId, session.studentToken));
  expect(live).toMatchObject({ isActive: false, endedReason: 'cancelled' });
});

test('a refused token fails the canary at once, which says where and why, without the token', async () => {
  const session = await aSession();
  const stranger = await tokenFor(session.trainerId, 'student');
  const trainer = await canary({ ...session, trainerToken: stranger });
  expect([trainer.code, trainer.log()]).toMatchObject([
    1,
    {
      level: 'error',
      msg: 'canary journey failed',
      step: 'start',
      reason: '403 FORBIDDEN',
      canary_failed: 1,
    },
  ]);
  const student = await canary({ ...session, studentToken: 'not.a.token' });
  expect([student.code, student.log()]).toMatchObject([1, { step: 'live', reason: '401 UNAUTHENTICATED' }]);
  expect(trainer.stdout + student.stdout).not.toContain(session.trainerToken);
  const live = data(await service.api.live(session.sessionId, session.studentToken));
  expect(live).toMatchObject({ isActive: false });
});

test('wrong settings exit 2 with one message that names each', async () => {
  const session = await aSession();
  const settings = { CANARY_URL: 'journeys', CANARY_SESSION_ID: 'x', CANARY_STUDENT_TOKEN: '' };
  const { code, stderr } = await canary(session, settings);
  expect(code).toBe(2);
  for (const name of Object.keys(settings)) expect(stderr).toContain(name);
  expect(stderr).not.toMatch(/^\s+at /m);
});

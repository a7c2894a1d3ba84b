import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { internalFailure } from '../../src/dev/event-bus/local-event-bus.js';
import { parseCommand } from '../../src/ops/command-line.js';
import { aJourney } from '../support/a-journey.js';
import { aSession, HOME, metersNorth, type ASession } from '../support/a-session.js';
import { data } from '../support/api.js';
import { compiledProgram } from '../support/compiled-source.js';
import { runService, type RunningService } from '../support/running-service.js';
import { testEnvironment } from '../support/service-settings.js';
import { until } from '../support/until.js';

let service: RunningService;
beforeAll(async () => {
  service = await runService();
});
afterEach(() => {
  service.bus.failWhile(undefined);
});
afterAll(() => service.stop());

/** Runs the operator's command as a task does. */
async function ops(args: string[], settings: Record<string, string> = {}) {
  const child = spawn(process.execPath, [compiledProgram('ops'), ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...testEnvironment(settings) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].on('data', (chunk: Buffer) => {
      output[stream] += chunk.toString();
    });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output };
}

const lineWith = (text: string, id: string) => text.split('\n').find((line) => line.includes(id)) ?? '';

/** A session whose started event the bus has rejected for good. */
async function aDeadLetter(): Promise<ASession & { letter: string }> {
  const session = await aSession();
  service.bus.failWhile(() => ({
    kind: 'refuse',
    code: 'MalformedDetail',
    refuses: ({ detail }) => detail['sessionId'] === session.sessionId,
  }));
  data(await service.api.start(session.sessionId, session.trainerToken));
  const letter = await until('the dead letter', async () => {
    const { stdout } = await ops(['dead-letters', '--limit', '1000']);
    return lineWith(stdout, session.sessionId).split(' ')[0] || undefined;
  });
  return { ...session, letter };
}

test('journeys lists who is on the way and how old the position is, and not where', async () => {
  const { sessionId, trainerId, studentId, trainerToken } = await aJourney(service.api);
  const { latitude } = metersNorth(700);
  data(
    await service.api.update(trainerToken, { sessionId, latitude, longitude: HOME.longitude, accuracy: 5 }),
  );
  const one = await ops(['journeys', sessionId]);
  const all = await ops(['journeys', '--limit', '1000']);
  expect([one.code, one.stderr, all.code]).toEqual([0, '', 0]);
  for (const { stdout } of [one, all]) {
    expect(lineWith(stdout, sessionId)).toMatch(new RegExp(`${trainerId}  ${studentId}  .*  \\d+ s$`));
    expect(stdout).not.toMatch(/12\.97|77\.59/);
  }
  expect(one.stdout).toMatch(/^\d+ active journeys\n/);
});

test('journeys of an unknown session are none, and a limit is obeyed', async () => {
  await Promise.all([aJourney(service.api), aJourney(service.api)]);
  expect((await ops(['journeys', randomUUID()])).stdout).toMatch(/journeys\nnone\n$/);
  expect((await ops(['journeys', '--limit', '1'])).stdout.trim().split('\n')).toHaveLength(3);
});

test('outbox shows what waits for EventBridge, and which task has read it', async () => {
  service.bus.failWhile(() => internalFailure);
  const { sessionId } = await aJourney(service.api);
  const { stdout } = await until('a task has read it', async () => {
    const report = await ops(['outbox', '--limit', '1000']);
    return / s +[1-9]\d*$/m.test(report.stdout) && report;
  });
  expect(stdout).toMatch(/^[1-9]\d* unpublished events, the oldest \d+ s old$/m);
  expect(lineWith(stdout, sessionId)).toMatch(/\d+-\d+  +\d+ s  +TrainerJourneyStarted/);
});

test('requeue says what it would do, moves a dead letter back with --yes, and the event is published', async () => {
  const { sessionId, letter } = await aDeadLetter();
  const dry = await ops(['requeue', letter]);
  expect([dry.code, dry.stderr]).toEqual([0, '']);
  expect(dry.stdout).toContain('Nothing was changed. Repeat with --yes.');
  expect(lineWith((await ops(['dead-letters', '--limit', '1000'])).stdout, sessionId)).toContain(
    'MalformedDetail',
  );

  service.bus.failWhile(undefined);
  expect((await ops(['requeue', letter, '--yes'])).stdout).toContain('Moved 1 of 1');
  await until('the event is published', () => service.eventsOf(sessionId).length === 1);
  expect((await ops(['requeue', letter, '--yes'])).stdout).toContain('Moved 0 of 1');
  expect(lineWith((await ops(['dead-letters', '--limit', '1000'])).stdout, sessionId)).toBe('');
});

test('requeue --all moves every dead letter within the limit', async () => {
  const { sessionId } = await aDeadLetter();
  service.bus.failWhile(undefined);
  expect((await ops(['requeue', '--all', '--limit', '1000', '--yes'])).code).toBe(0);
  await until('the event is published', () => service.eventsOf(sessionId).length === 1);
});

test.each([
  [[], 'A command is missing'],
  [['restart'], 'Unknown command restart'],
  [['journeys', 'x'], 'x is not a session id'],
  [['journeys', '--limit', '0'], '--limit must be a whole number from 1 to 1000'],
  [['journeys', '--yes'], '--all and --yes belong to requeue'],
  [['outbox', 'x'], 'outbox takes no arguments'],
  [['outbox', '--force'], '--force'],
  [['requeue', '--yes'], 'requeue needs dead letters'],
  [['requeue', '1-1', '--all'], 'requeue needs dead letters'],
  [['requeue', 'abc'], 'abc is not a dead letter'],
])('the command line %j is refused with what is wrong', (args, message) => {
  expect(() => parseCommand(args)).toThrow(message);
});

test('a wrong command line exits 2 with the message and the help', async () => {
  const { code, stdout, stderr } = await ops(['restart']);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^Unknown command restart\.\n\nUsage: /);
  expect(stderr).not.toMatch(/^\s+at /m);
});

test('a missing setting exits 2 and names it; a Redis that is unavailable exits 1; --help exits 0', async () => {
  const [missing, unavailable, help] = await Promise.all([
    ops(['journeys'], { REDIS_URL: '', REDIS_CLUSTER: '' }),
    ops(['journeys'], { REDIS_URL: 'redis://:secret@127.0.0.1:1' }),
    ops(['--help']),
  ]);
  expect([missing.code, unavailable.code, help.code]).toEqual([2, 1, 0]);
  expect(missing.stderr).toContain('REDIS_URL must be set');
  expect(unavailable.stderr).toMatch(/^Redis is unavailable: .*ECONNREFUSED/);
  expect(unavailable.stderr).not.toContain('secret');
  expect(help.stdout).toContain('requeue LETTER');
});

import { randomUUID } from 'node:crypto';
import { readCommandLine } from '../../src/dev/load/command-line.js';
import { connectionsLimit } from '../../src/dev/load/open-files.js';
import { sharedDatabaseUrl } from '../support/shared-services.js';
import { madeUpSession, sessionFile } from '../support/session-file.js';
import { simulateProcess } from '../support/simulate-process.js';
import { runService } from '../support/running-service.js';
import { SECRET } from '../support/tokens.js';

const secret = 'x'.repeat(32);
const nowhere = ['--url', 'http://127.0.0.1:1'];
const ofADeployment = [
  ...nowhere,
  '--database-url',
  'postgres://nobody@127.0.0.1:1/none',
  '--jwt-secret',
  secret,
];

const wrong: [name: string, args: string[], says: RegExp][] = [
  ['an option that does not exist', ['--trainers', '5'], /--trainers/],
  ['a number of journeys that is none', ['--journeys', 'many'], /--journeys is "many".*from 1 to 50000/],
  ['no journey at all', ['--journeys', '0'], /--journeys is "0"/],
  ['half a journey', ['--journeys', '1.5'], /--journeys is "1.5".*whole/],
  ['too short a time', ['--minutes', '0'], /--minutes is "0".*from 0.01/],
  ['a ramp-up that is no number', ['--ramp-up', '-1s'], /--ramp-up/],
  ['another way to watch', ['--watch', 'stare'], /--watch is "stare".*poll or wait/],
  ['a share over 1', ['--watch-share', '2'], /--watch-share is "2".*from 0 to 1/],
  ['a seed that is none', ['--seed', 'x'], /--seed/],
  ['a URL that is none', ['--url', 'localhost:3010'], /--url has to be a URL.*http:/],
  ['a URL without sessions', nowhere, /--database-url and --jwt-secret.*--sessions FILE/],
  ['sessions without a URL', ['--jwt-secret', secret], /--jwt-secret.*add --url/],
  ['a short secret', [...ofADeployment.slice(0, 4), '--jwt-secret', 'short'], /--jwt-secret.*32 bytes/],
  [
    'a database that is none',
    [...nowhere, '--database-url', 'mysql://x', '--jwt-secret', secret],
    /--database-url has to/,
  ],
  ['a file that is not there', [...nowhere, '--sessions', `/nowhere/${randomUUID()}`], /--sessions.*exists/],
  ['a Node for a service elsewhere', [...ofADeployment, '--node', process.execPath], /--node/],
];

test.each(wrong)('%s is refused, and the option named', (_name, args, says) => {
  const commandLine = readCommandLine(args, {});
  expect(commandLine).toEqual({ kind: 'wrong', reason: expect.stringMatching(says) as string });
});

test.each([
  ['that is wrong by its form', ['--journeys', 'many'], /--journeys is "many"/],
  ['whose database is away', ofADeployment, /--database-url does not answer/],
  ['whose Node is none', ['--node', '/bin/false'], /--node \/bin\/false/],
])('an option %s ends with exit code 2 and a message', async (_name, args, says) => {
  const { code, stdout, stderr } = await simulateProcess(args).ended;
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(says);
});

test('the secret and the database may come by the environment', () => {
  const environment = { SIMULATE_DATABASE_URL: 'postgres://there/platform', SIMULATE_JWT_SECRET: secret };
  expect(readCommandLine(nowhere, environment)).toMatchObject({
    kind: 'run',
    options: { sessions: { kind: 'database', databaseUrl: 'postgres://there/platform', jwtSecret: secret } },
  });
});

test('the ramp-up is an update interval, and longer where too many would start at once', () => {
  const rampUp = (journeys: number) => readCommandLine(['--journeys', String(journeys)], {});
  expect(rampUp(1_000)).toMatchObject({ options: { rampUpSeconds: 5 } });
  expect(rampUp(10_000)).toMatchObject({ options: { rampUpSeconds: 20 } });
});

test('--help says what there is, and is no error', async () => {
  const { code, stdout } = await simulateProcess(['--help']).ended;
  expect(code).toBe(0);
  for (const option of [
    '--journeys',
    '--minutes',
    '--url',
    '--sessions',
    '--watch-share',
    'SIMULATE_JWT_SECRET',
  ]) {
    expect(stdout).toContain(option);
  }
});

describe('a file of sessions', () => {
  const run = (lines: number | unknown[]) =>
    simulateProcess([...nowhere, '--journeys', '2', '--sessions', sessionFile(lines)]).ended;

  test('with too few of them is refused', async () => {
    const { code, stderr } = await run(1);
    expect(code).toBe(2);
    expect(stderr).toMatch(/1 sessions, too few for --journeys 2/);
  });

  test.each([
    ['is not JSON', 'nonsense', /line 2 is not JSON/],
    ['lacks a token', { ...madeUpSession(), studentToken: undefined }, /line 2.*studentToken/],
    ['has no home', { ...madeUpSession(), home: { latitude: 100, longitude: 0 } }, /line 2.*home.latitude/],
  ])('of which a line %s is refused, and the line named', async (_name, line, says) => {
    const { code, stderr } = await run([madeUpSession(), line]);
    expect(code).toBe(2);
    expect(stderr).toMatch(says);
  });

  test('for a service that is not there: the URL is named', async () => {
    const { code, stderr } = await run(5);
    expect(code).toBe(2);
    expect(stderr).toMatch(/--url http:\/\/127\.0\.0\.1:1 does not answer/);
  });
});

test("another secret than the service's is told as such", async () => {
  const service = await runService();
  const database = ['--database-url', sharedDatabaseUrl()];
  const args = ['--url', service.url, ...database, '--jwt-secret', `${SECRET} but not`, '--journeys', '1'];
  const { code, stderr } = await simulateProcess(args).ended;
  await service.stop();
  expect(code).toBe(2);
  expect(stderr).toMatch(/--jwt-secret has to be its AUTH_JWT_SECRET/);
});

test('as many students as connections are allowed can wait, and for more the fix is named', () => {
  const options = { journeys: 20_000, watch: 'wait', watchShare: 1 } as const;
  expect(connectionsLimit(options, 65_536)).toBe(21_000);
  expect(connectionsLimit({ ...options, watchShare: 0.5 }, 20_000)).toBe(11_000);
  expect(connectionsLimit({ ...options, watch: 'poll' }, 1_024)).toBe(924);
  expect(() => connectionsLimit(options, 20_000)).toThrow(/ulimit -n 20300/);
});

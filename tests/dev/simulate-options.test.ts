import { randomUUID } from 'node:crypto';
import { readOptions } from '../../src/dev/load/options.js';
import { readSessionFile } from '../../src/dev/load/session-file.js';
import { runService } from '../support/running-service.js';
import { madeUpSession, sessionFile } from '../support/session-file.js';
import { sharedDatabaseUrl } from '../support/shared-services.js';
import { simulateProcess } from '../support/simulate-process.js';
import { SECRET } from '../support/tokens.js';

const secret = 'x'.repeat(32);
const nowhere = ['--url', 'http://127.0.0.1:1'];
const database = ['--database-url', 'postgres://nobody@127.0.0.1:1/none'];

/** Exit code and message of options that are read in this process. */
function refusal(args: string[]): { code: unknown; message: string } {
  let message = '';
  const exit = jest.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Error(`exit ${String(code)}`);
  });
  const writes = [process.stdout, process.stderr].map((stream) =>
    jest.spyOn(stream, 'write').mockImplementation((text) => {
      message += String(text);
      return true;
    }),
  );
  try {
    readOptions(args);
    return { code: undefined, message };
  } catch (error) {
    return { code: (error as Error).message, message };
  } finally {
    exit.mockRestore();
    for (const write of writes) write.mockRestore();
  }
}

test.each<[name: string, args: string[], says: RegExp]>([
  ['an unknown option', ['--trainers', '5'], /unknown option '--trainers'/],
  ['a number that is none', ['--journeys', 'many'], /--journeys.*'many'.*whole number from 1 to 50000/],
  ['too short a time', ['--minutes', '0'], /--minutes.*from 0.01/],
  ['a URL without a protocol', ['--url', 'localhost:3010'], /--url.*http:/],
  ['a URL without sessions', nowhere, /--url needs --database-url and --jwt-secret.*--sessions/],
  ['a secret without a URL', ['--jwt-secret', secret], /need --url/],
  ['a short secret', [...nowhere, ...database, '--jwt-secret', 'short'], /--jwt-secret.*32 bytes/],
  ['a missing file', [...nowhere, '--sessions', `/nowhere/${randomUUID()}`], /--sessions.*No such file/],
])('%s is refused with one line that names the option', (_name, args, says) => {
  const { code, message } = refusal(args);
  expect(code).toBe('exit 2');
  expect(message).toMatch(says);
  expect(message.trim().split('\n')).toHaveLength(1);
});

test('a refused database URL is not shown', () => {
  const { message } = refusal([...nowhere, '--database-url', 'mysql://u:pass@x', '--jwt-secret', secret]);
  expect(message).toMatch(/--database-url.*postgres:/);
  expect(message).not.toContain('pass');
});

test('the ramp-up is an update interval, and longer where too many would start at once', () => {
  expect(readOptions(['--journeys', '1000']).rampUpSeconds).toBe(5);
  expect(readOptions(['--journeys', '10000']).rampUpSeconds).toBe(20);
});

test('--help lists the options, and is no error', () => {
  const { code, message } = refusal(['--help']);
  expect(code).toBe('exit 0');
  for (const option of ['--journeys', '--minutes', '--url', '--sessions', 'SIMULATE_JWT_SECRET']) {
    expect(message).toContain(option);
  }
});

test('a database that does not answer ends with exit code 2', async () => {
  const { code, stderr } = await simulateProcess([...nowhere, ...database, '--jwt-secret', secret]).ended;
  expect(code).toBe(2);
  expect(stderr).toMatch(/--database-url does not answer/);
});

test('a service that does not answer ends with exit code 2, and the URL is named', async () => {
  const { code, stderr } = await simulateProcess([
    ...nowhere,
    '--journeys',
    '2',
    '--sessions',
    sessionFile(5),
  ]).ended;
  expect(code).toBe(2);
  expect(stderr).toMatch(/--url http:\/\/127\.0\.0\.1:1 does not answer/);
});

test('a line that is no session is refused, and named', () => {
  const file = sessionFile([madeUpSession(), { ...madeUpSession(), home: { latitude: 100, longitude: 0 } }]);
  expect(() => readSessionFile(file, 1)).toThrow(/line 2.*home.latitude/);
});

test("a secret that is not the service's is named as the cause", async () => {
  const service = await runService();
  const given = ['--database-url', sharedDatabaseUrl(), '--jwt-secret', `${SECRET} but not`];
  const { code, stderr } = await simulateProcess(['--url', service.url, ...given, '--journeys', '1']).ended;
  await service.stop();
  expect(code).toBe(2);
  expect(stderr).toMatch(/--jwt-secret must be its AUTH_JWT_SECRET/);
});

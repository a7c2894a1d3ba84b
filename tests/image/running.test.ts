import { docker, isGone, newName } from '../support/container.js';
import { imageUnderTest } from '../support/service-process.js';
import { until } from '../support/until.js';

const image = imageUnderTest();

/** All that the service needs to start; whether Redis and Postgres are there does not matter for that. */
const settings = {
  REDIS_URL: 'redis://127.0.0.1:1',
  DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
  AUTH_JWT_SECRET: 'a secret of the tests, at least 32 bytes long',
};

const started: string[] = [];
afterAll(() => {
  docker('rm', '--force', ...started);
  started.forEach(isGone);
});

/** In the background, on a network of its own, and as an orchestrator runs it: nothing of it can be written. */
function start(more: Record<string, string> = {}, ...options: string[]): string {
  const name = newName();
  const environment = Object.entries({ ...settings, ...more }).map(([key, value]) => `--env=${key}=${value}`);
  docker(
    'run',
    '--detach',
    '--read-only',
    '--cap-drop=ALL',
    '--name',
    name,
    ...environment,
    ...options,
    image,
  );
  started.push(name);
  return name;
}

const stateOf = (name: string, field: string) => docker('inspect', '--format', `{{.State.${field}}}`, name);
const isHealth = (name: string, status: string) => () => stateOf(name, 'Health.Status') === status;

async function listening(name: string): Promise<{ time: string; pid: number }> {
  const line = await until('it listens', () =>
    docker('logs', name)
      .split('\n')
      .find((each) => each.includes('"listening"')),
  );
  return JSON.parse(line) as { time: string; pid: number };
}

test('it listens within 2 seconds after the start of its container', async () => {
  const tookMs: number[] = [];
  // The quickest of some: a machine that is busy makes any of them late.
  while (tookMs.length < 8 && Math.min(...tookMs) > 2_000) {
    const name = start();
    const { time } = await listening(name);
    tookMs.push(new Date(time).getTime() - Date.parse(stateOf(name, 'StartedAt')));
    docker('kill', name);
  }
  console.log(`it listened after ${tookMs.join(', ')} ms`);
  expect(Math.min(...tookMs)).toBeGreaterThan(0);
  expect(Math.min(...tookMs)).toBeLessThan(2_000);
}, 120_000);

test('node is process 1, and with the settings as they are docker stop ends it with 0 after the delay for the load balancer', async () => {
  const name = start();
  expect(await listening(name)).toMatchObject({ pid: 1 });
  const toldAt = performance.now();
  docker('stop', '--time', '30', name);
  const tookMs = performance.now() - toldAt;
  console.log(`it ended ${Math.round(tookMs)} ms after SIGTERM, of which 5000 are SHUTDOWN_DELAY_MS`);
  expect(stateOf(name, 'ExitCode')).toBe('0');
  expect(tookMs).toBeGreaterThan(4_900);
  expect(tookMs).toBeLessThan(25_000);
});

test.each([{}, { PORT: '8080' }])('its health check finds it healthy with %j', async (more) => {
  const name = start(more, '--health-interval=1s');
  await until('healthy', isHealth(name, 'healthy'));
});

test('its health check finds a process that hangs', async () => {
  const name = start({}, '--health-interval=1s', '--health-timeout=1s', '--health-retries=1');
  await until('healthy', isHealth(name, 'healthy'));
  docker('kill', '--signal', 'STOP', name);
  await until('unhealthy', isHealth(name, 'unhealthy'), 20_000);
});

import { docker, isGone, newName } from '../support/container.js';
import { redisImage, redisProgramOf } from '../support/private-redis.js';
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

/** A Redis of its own on the same network, with a password. */
function startRedis(): { name: string; urlWith: (password: string) => string } {
  const name = newName();
  const image = redisImage ?? 'redis:7-alpine';
  docker('run', '--detach', '--name', name, image, redisProgramOf(image), '--requirepass', 'right');
  started.push(name);
  return { name, urlWith: (password) => `redis://:${password}@${addressOf(name)}:6379` };
}

const addressOf = (name: string) =>
  docker('inspect', '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', name);
const statusOf = async (name: string, path: string) =>
  (await fetch(`http://${addressOf(name)}:3010${path}`)).status;

test.each([{}, { PORT: '8080' }])('its health check finds it healthy with %j', async (more) => {
  const name = start({ REDIS_URL: startRedis().urlWith('right'), ...more }, '--health-interval=1s');
  await until('healthy', isHealth(name, 'healthy'), 20_000);
});

test('with a wrong Redis password it runs and never becomes healthy, so that it replaces no running task', async () => {
  const redis = startRedis();
  const name = start({ REDIS_URL: redis.urlWith('wrong') }, '--health-interval=1s', '--health-retries=1');
  await listening(name);
  await until('unhealthy', isHealth(name, 'unhealthy'), 20_000);
  expect(stateOf(name, 'Running')).toBe('true');
  expect(docker('logs', name)).not.toContain('wrong@');
});

test('it stays healthy when it loses Redis later, and says so in ready', async () => {
  const redis = startRedis();
  const name = start({ REDIS_URL: redis.urlWith('right') }, '--health-interval=1s', '--health-retries=1');
  await until('healthy', isHealth(name, 'healthy'), 20_000);
  docker('rm', '--force', redis.name);
  await until('not ready', async () => (await statusOf(name, '/health/ready')) === 503, 20_000);
  const checks = () => Number(docker('inspect', '--format', '{{len .State.Health.Log}}', name));
  await until('all remembered checks were made', () => checks() >= 5, 20_000);
  expect(await statusOf(name, '/health/live')).toBe(200);
  expect([stateOf(name, 'Health.Status'), stateOf(name, 'Health.FailingStreak')]).toEqual(['healthy', '0']);
});

test('while it drains after SIGTERM it still lives and is not ready', async () => {
  const name = start({ REDIS_URL: startRedis().urlWith('right') }, '--health-interval=1s');
  await until('healthy', isHealth(name, 'healthy'), 20_000);
  docker('kill', '--signal', 'TERM', name);
  await until('not ready', async () => (await statusOf(name, '/health/ready')) === 503);
  expect(await statusOf(name, '/health/live')).toBe(200);
  await until('it has ended', () => stateOf(name, 'Running') === 'false', 25_000);
  expect(stateOf(name, 'ExitCode')).toBe('0');
});

test('its health check finds a process that hangs', async () => {
  const name = start(
    { REDIS_URL: startRedis().urlWith('right') },
    ...['--health-interval=1s', '--health-timeout=1s', '--health-retries=1'],
  );
  await until('healthy', isHealth(name, 'healthy'), 20_000);
  docker('kill', '--signal', 'STOP', name);
  await until('unhealthy', isHealth(name, 'unhealthy'), 20_000);
});

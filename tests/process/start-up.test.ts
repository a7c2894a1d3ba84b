import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { awsEnvironment, testEnvironment } from '../support/service-settings.js';
import { startLocalEventBus, type LocalEventBus } from '../../src/dev/event-bus/local-event-bus.js';
import { runMainToItsEnd } from '../support/service-process.js';

let bus: LocalEventBus;
let other: Server;
let takenPort: string;
beforeAll(async () => {
  bus = await startLocalEventBus();
  other = createServer();
  await new Promise<void>((resolve) => other.listen(0, resolve));
  takenPort = String((other.address() as AddressInfo).port);
});
afterAll(async () => {
  await bus.stop();
  await new Promise((resolve) => other.close(resolve));
});

test('without any setting the process exits 1 with one message that names each that it needs', async () => {
  const { code, stderr } = await runMainToItsEnd({});
  expect(code).toBe(1);
  for (const name of ['REDIS_URL', 'DATABASE_URL', 'AUTH_JWKS_URL', 'AUTH_JWT_SECRET'])
    expect(stderr).toContain(name);
  expect(stderr).not.toMatch(/^\s+at /m);
});

test.each(['PORT', 'MANAGEMENT_PORT'])(
  'a %s in use ends the start with exit code 1 and a message that names it',
  async (name) => {
    const { code, stderr } = await runMainToItsEnd({
      ...testEnvironment(),
      ...awsEnvironment(bus),
      [name]: takenPort,
    });
    expect(code).toBe(1);
    expect(stderr).toContain(takenPort);
    expect(stderr).toMatch(/EADDRINUSE|in use|taken/);
    expect(stderr).not.toMatch(/^\s+at /m);
  },
);

test('on SIGTERM before it is ready, while Redis does not answer, the process exits 0 without output', async () => {
  const silent = createServer((socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const connected = once(silent, 'connection') as Promise<[Socket]>;
  const { port } = silent.address() as AddressInfo;
  const environment = {
    ...testEnvironment({ REDIS_URL: `redis://127.0.0.1:${port}` }),
    ...awsEnvironment(bus),
  };
  const { code, stderr } = await runMainToItsEnd(environment, connected);
  const [socket] = await connected;
  socket.destroy();
  silent.close();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Connections, type Incoming } from '../../../src/dev/load/connections.js';
import { until } from '../../support/until.js';

/** Requests that the server has and has not answered, by path. */
const open = new Map<string, ServerResponse>();
const sockets = new Set<Socket>();
let server: Server;
let origin: string;
const used: Connections[] = [];

beforeAll(async () => {
  server = createServer((req, res) => {
    open.set(req.url ?? '', res);
  });
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  open.clear();
  sockets.clear();
});
afterEach(async () => {
  for (const connections of used.splice(0)) await connections.close();
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

function connect(most: number): Connections {
  const connections = new Connections(origin, most);
  used.push(connections);
  return connections;
}

function ask(connections: Connections, path: string, answerWithinMs = 20_000): Promise<Incoming> {
  return new Promise((resolve) => {
    connections.send({ method: 'GET', path, headers: [], body: null, answerWithinMs }, resolve);
  });
}

async function answer(path: string, body = path): Promise<void> {
  const res = await until(`the server has ${path}`, () => open.get(path));
  res.end(body);
}

test('each request under way has a connection of its own, and an idle one is used again', async () => {
  const connections = connect(10);
  const answers = ['/1', '/2', '/3'].map((path) => ask(connections, path));
  for (const path of ['/3', '/1', '/2']) await answer(path);
  expect((await Promise.all(answers)).map((each) => each.kind === 'answer' && each.body)).toEqual([
    '/1',
    '/2',
    '/3',
  ]);
  expect(sockets.size).toBe(3);
  // A connection is free once undici is through with the answer.
  await new Promise(setImmediate);
  const again = ask(connections, '/again');
  await answer('/again');
  await again;
  expect(sockets.size).toBe(3);
  expect(connections.underWay).toBe(0);
});

test('what finds no connection waits its turn', async () => {
  const connections = connect(2);
  const paths = Array.from({ length: 20 }, (_, n) => `/${n}`);
  const answers = paths.map((path) => ask(connections, path));
  expect(connections.underWay).toBe(20);
  for (const path of paths) await answer(path);
  expect((await Promise.all(answers)).map(({ kind }) => kind)).toEqual(paths.map(() => 'answer'));
  expect(sockets.size).toBe(2);
});

test('a request has its own time, not that of the one before it on the connection', async () => {
  const connections = connect(1);
  const short = ask(connections, '/short', 1_000);
  const long = ask(connections, '/long', 20_000);
  await answer('/short');
  expect((await short).kind).toBe('answer');
  // Longer than the short one's time, and undici's timers are up to a second late.
  await until('the long one is under way', () => open.has('/long'));
  const sinceMs = performance.now();
  await until('its time has passed', () => performance.now() - sinceMs > 3_000);
  await answer('/long');
  expect((await long).kind).toBe('answer');
});

test('a request that gets no answer in time is unanswered, and so is one that waited as long for a connection', async () => {
  const connections = connect(1);
  const [first, second] = [ask(connections, '/never', 1_000), ask(connections, '/late', 500)];
  expect((await first).kind).toBe('unanswered');
  expect((await second).kind).toBe('unanswered');
  expect(open.has('/late')).toBe(false);
  const third = ask(connections, '/third');
  await answer('/third');
  expect((await third).kind).toBe('answer');
});

test('a connection that breaks is the network, and the next request gets another one', async () => {
  const connections = connect(1);
  const [first, second] = [ask(connections, '/reset'), ask(connections, '/next')];
  (await until('the request is there', () => open.get('/reset'))).destroy();
  expect(await first).toEqual({
    kind: 'broken',
    reason: expect.stringMatching(/ECONNRESET|SOCKET/) as string,
  });
  await answer('/next');
  expect((await second).kind).toBe('answer');
});

test('where nobody listens, each request says so', async () => {
  const connections = new Connections('http://127.0.0.1:1', 2);
  used.push(connections);
  const answers = await Promise.all(['/1', '/2', '/3'].map((path) => ask(connections, path)));
  expect(answers).toEqual(answers.map(() => ({ kind: 'broken', reason: 'ECONNREFUSED' })));
});

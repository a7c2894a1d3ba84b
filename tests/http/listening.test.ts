import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer } from 'node:net';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { LISTENING_SOCKETS, canShare, Listening } from '../../src/http/listening.js';

const testOfSharing = canShare ? test : test.skip;

/** Opens connections while this thread does something else; resolves when all of them are made. */
async function connectionsMeanwhile(port: number, count: number, whileItDoes: () => void): Promise<Worker> {
  const made = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(
    `const { workerData: { port, count, made } } = require('node:worker_threads');
     const { connect } = require('node:net');
     for (let i = 0; i < count; i++) connect(port, '127.0.0.1', () => Atomics.add(made, 0, 1));`,
    { eval: true, workerData: { port, count, made } },
  );
  await once(worker, 'online');
  whileItDoes();
  // The system makes them; this thread has taken none yet.
  while (Atomics.load(made, 0) < count) Atomics.wait(made, 0, Atomics.load(made, 0), 20);
  return worker;
}

testOfSharing(
  'of the connections that came during a long turn of the event loop, many are taken in the next',
  async () => {
    const server = createHttpServer();
    let taken = 0;
    server.on('connection', () => taken++);
    const listening = await Listening.on(0, server, LISTENING_SOCKETS);
    const worker = await connectionsMeanwhile(listening.port, 200, () => (taken = 0));
    await turnOfTheLoop();
    await turnOfTheLoop();
    // Of one socket it would be one each turn.
    expect(taken).toBeGreaterThan(10);
    await worker.terminate();
    await listening.close();
  },
);

test('requests are answered by whatever socket their connection came in', async () => {
  const server = createHttpServer((_req, res) => res.end('here'));
  const listening = await Listening.on(0, server, LISTENING_SOCKETS);
  const url = `http://127.0.0.1:${listening.port}`;
  const answers = Array.from({ length: 100 }, async () => {
    const answer = await fetch(url, { headers: { connection: 'close' } });
    return answer.text();
  });
  expect(new Set(await Promise.all(answers))).toEqual(new Set(['here']));
  await listening.close();
});

test('a port that another process listens on is refused, also where it would share it', async () => {
  const first = await Listening.on(0, createHttpServer(), LISTENING_SOCKETS);
  await expect(Listening.on(first.port, createHttpServer(), LISTENING_SOCKETS)).rejects.toThrow('EADDRINUSE');
  await first.close();
});

test('after its end nobody listens, and the port is free', async () => {
  const listening = await Listening.on(0, createHttpServer(), LISTENING_SOCKETS);
  await listening.close();
  const [error] = (await once(connect(listening.port, '127.0.0.1'), 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNREFUSED');
  const next = createServer().listen(listening.port);
  await once(next, 'listening');
  next.close();
});

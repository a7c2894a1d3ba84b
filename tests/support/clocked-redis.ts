import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Transform } from 'node:stream';

export interface ClockedRedis {
  url: string;
  stop(): Promise<void>;
}

/**
 * A Redis whose scripts use the test's clock: a proxy sets the first argument of each script, which the service leaves
 * empty. For a service in a container.
 *
 * @param now milliseconds since the epoch
 */
export async function startClockedRedis(url: string, now: () => number): Promise<ClockedRedis> {
  const { hostname, port: redisPort } = new URL(url);
  const sockets = new Set<Socket>();
  const server = createServer((service) => {
    const redis = connect(Number(redisPort), hostname);
    for (const [one, other] of [
      [service, redis],
      [redis, service],
    ] as const) {
      sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    service.pipe(scriptsGetTheTime(now)).pipe(redis).pipe(service);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const through = new URL(url);
  through.hostname = '127.0.0.1';
  through.port = String((server.address() as AddressInfo).port);
  return {
    url: through.href,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        sockets.forEach((socket) => socket.destroy());
      }),
  };
}

function scriptsGetTheTime(now: () => number): Transform {
  // latin1: a character is a byte, so that lengths are those of the protocol.
  let unread = '';
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      unread += chunk.toString('latin1');
      for (let command = readCommand(unread); command !== undefined; command = readCommand(unread)) {
        unread = unread.slice(command.length);
        this.push(Buffer.from(written(withTime(command.words, now)), 'latin1'));
      }
      done();
    },
  });
}

/** EVAL and EVALSHA: the script, how many keys, the keys, and then the arguments. */
function withTime(words: string[], now: () => number): string[] {
  if (!/^eval(sha)?$/i.test(words[0] ?? '')) return words;
  const clock = 3 + Number(words[2]);
  return words.map((word, index) => (index === clock && word === '' ? String(now()) : word));
}

/** The first command in the text (RESP: an array of bulk strings); undefined while it is incomplete. */
function readCommand(text: string): { words: string[]; length: number } | undefined {
  let at = 0;
  const number = () => {
    const end = text.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const value = Number(text.slice(at + 1, end));
    at = end + 2;
    return value;
  };
  const count = number();
  if (count === undefined) return undefined;
  const words: string[] = [];
  while (words.length < count) {
    const size = number();
    if (size === undefined || text.length < at + size + 2) return undefined;
    words.push(text.slice(at, at + size));
    at += size + 2;
  }
  return { words, length: at };
}

function written(words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
}

import { Writable } from 'node:stream';
import { createLogger } from '../../src/telemetry/logger.js';

test.each([
  ['error', ['error']],
  ['warn', ['warn', 'error']],
  ['info', ['info', 'warn', 'error']],
  ['debug', ['debug', 'info', 'warn', 'error']],
  ['silent', []],
])('level %s writes %j', (level, expected) => {
  const levels = written(level, (logger) => {
    for (const each of ['debug', 'info', 'warn', 'error'] as const) logger[each]('line');
  }).map((line) => line['level']);
  expect(levels).toEqual(expected);
});

test('positions and tokens are redacted at any depth', () => {
  const position = { latitude: 12.9716, longitude: 77.5946 };
  const lines = written('info', (logger) => {
    logger.info({ ...position, token: 'the-token', authorization: 'Bearer the-token' }, 'at the top');
    logger.info({ location: position, body: position, studentHomeLocation: position }, 'as objects');
    const req = { headers: { authorization: 'the-token' } };
    logger.info({ journey: { ...position, home: position }, req }, 'deep');
    logger.info({ journeys: [{ calls: [{ by: { position } }] }] }, 'in lists');
  });
  expect(JSON.stringify(lines)).not.toMatch(/12\.9716|77\.5946|the-token/);
});

test('an error is written with its message, code and cause, without the properties of a driver', () => {
  const error = Object.assign(new Error('it failed', { cause: new Error('because') }), {
    command: { name: 'set', args: ['location:trainer', '{"latitude":12.9716}'] },
    code: 'ECONNRESET',
  });
  const [line] = written('info', (logger) => {
    logger.error({ err: error }, 'failed');
  });
  expect(line).toMatchObject({
    err: { message: 'it failed', code: 'ECONNRESET', cause: { message: 'because' } },
  });
  expect(JSON.stringify(line)).not.toContain('12.9716');
});

test('an object that contains itself is written to a limited depth', () => {
  const journey: Record<string, unknown> = { sessionId: 'a', home: 'secret' };
  journey['self'] = journey;
  const [line] = written('info', (logger) => {
    logger.info({ journey }, 'in a circle');
  });
  expect(line).toMatchObject({ journey: { sessionId: 'a', self: { sessionId: 'a' } } });
  expect(JSON.stringify(line)).not.toContain('secret');
});

function written(
  level: string,
  work: (logger: ReturnType<typeof createLogger>) => void,
): Record<string, unknown>[] {
  let text = '';
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  work(createLogger(level, sink));
  const lines = text.split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

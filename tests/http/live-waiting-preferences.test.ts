import { aJourney } from '../support/a-journey.js';
import type { ASession } from '../support/a-session.js';
import { rawRequest } from '../support/raw-http.js';
import { runService, type RunningService } from '../support/running-service.js';
import {
  aWaitingStudent,
  etagOf,
  move,
  OFTEN,
  poll,
  shownSequence,
  type TimedPoll,
} from '../support/waiting-polls.js';

let service: RunningService;
let session: ASession;
let etag: string;
beforeAll(async () => {
  service = await runService({ settings: OFTEN });
  session = await aJourney(service.api);
  etag = await etagOf(service, session);
});
afterAll(() => service.stop());

describe('a wait of a second is granted for', () => {
  const forms = [
    'wait=1',
    'WAIT=1',
    'wait = 1',
    'wait="1"',
    'respond-async, wait=1; foo=bar',
    'respond-async,wait=1',
    'foo="a b", wait=1;bar',
    'wait=1, wait=9',
  ];
  // All at once: each waits for its second.
  let answers: Map<string, TimedPoll>;
  beforeAll(async () => {
    const asked = forms.map(
      async (prefer) => [prefer, await poll(service, session, etag, { prefer })] as const,
    );
    answers = new Map(await Promise.all(asked));
  });
  test.each(forms)('Prefer: %s', (prefer) => {
    const answer = answers.get(prefer);
    expect(answer).toMatchObject({ status: 304, headers: { etag, 'preference-applied': 'wait=1' } });
    expect(answer?.ms).toBeGreaterThan(950);
    expect(answer?.ms).toBeLessThan(3_000);
  });
});

test('all of several Prefer headers count', async () => {
  const path = `/api/v1/admin/location-tracking/journey/live?sessionId=${session.sessionId}`;
  const Prefer = ['respond-async', 'wait=1', 'handling=lenient'];
  const headers = { Authorization: `Bearer ${session.studentToken}`, 'If-None-Match': etag, Prefer };
  const answer = await rawRequest(service.url, path, { method: 'GET', headers });
  expect(answer).toMatchObject({ status: 304, headers: { 'preference-applied': 'wait=1' } });
});

test.each([
  ...['', 'wait', 'wait=', 'wait=""', 'wait=0', 'wait=abc', 'wait=-1', 'wait=1.5', 'wait=1s', 'wait=0x9'],
  ...['wait=9 9', 'wait 9', 'wait: 9', 'await=9', 'waiting=9', 'respond-async'],
  ...['handling=lenient; wait=9', 'foo="bar, wait=9"'],
])('Prefer: %s is answered at once', async (prefer) => {
  const answer = await poll(service, session, etag, { prefer });
  expect(answer.status).toBe(304);
  expect(answer.headers).not.toHaveProperty('preference-applied');
  expect(answer.ms).toBeLessThan(1_000);
});

test.each([
  ['wait=25', 'wait=25'],
  ['wait=26', 'wait=25'],
  ['wait=600', 'wait=25'],
  ['wait=999999999', 'wait=25'],
  ['wait=24', 'wait=24'],
])('Prefer: %s is granted as %s', async (prefer, granted) => {
  const own = await aJourney(service.api);
  const { answer } = await aWaitingStudent(service, own, { prefer });
  await move(service, own, 1);
  const woken = await answer;
  expect(shownSequence(woken)).toBe(1);
  expect(woken.headers['preference-applied']).toBe(granted);
});

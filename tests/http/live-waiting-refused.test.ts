import { aJourney } from '../support/a-journey.js';
import { metersNorth, type ASession } from '../support/a-session.js';
import { data, refusal, type Answer } from '../support/api.js';
import { MovableClock } from '../support/movable-clock.js';
import { runService, type RunningService } from '../support/running-service.js';
import { tokenFor } from '../support/tokens.js';
import { aWaitingStudent, positionOf, shownSequence } from '../support/waiting-polls.js';

const clock = new MovableClock();
let service: RunningService;
beforeAll(async () => {
  service = await runService({ clock: clock.now });
});
afterAll(() => service.stop());

const post = (session: ASession, sequence: number, more: object = {}) =>
  service.api.update(session.trainerToken, { ...positionOf(session, sequence), ...more });

async function aJourneyAtSequence(sequence: number): Promise<ASession> {
  const session = await aJourney(service.api);
  data(await post(session, sequence));
  return session;
}

describe('a waiting poll is not answered by', () => {
  const refusals: [name: string, call: (session: ASession) => Promise<Answer>, code: string][] = [
    ['by a position of a lower sequence', (session) => later(session, 4), 'LOCATION_STALE'],
    ['by a fix of long ago', (session) => later(session, 6, { ageMs: 300_001 }), 'LOCATION_STALE'],
    ['by a position too early', (session) => post(session, 6), 'RATE_LIMITED'],
    [
      'by an implausible position',
      (session) => later(session, 6, metersNorth(90_000)),
      'LOCATION_IMPLAUSIBLE',
    ],
    ['by a simulated position', (session) => later(session, 6, { mocked: true }), 'LOCATION_MOCKED'],
    ['by a position of no form', (session) => later(session, 6, { latitude: 91 }), 'VALIDATION_FAILED'],
    [
      "by somebody else's position",
      async (session) =>
        service.api.update(await tokenFor(crypto.randomUUID(), 'trainer'), positionOf(session, 6)),
      'FORBIDDEN',
    ],
    [
      'by a second start',
      (session) => service.api.start(session.sessionId, session.trainerToken),
      'JOURNEY_ALREADY_ACTIVE',
    ],
    [
      'by an arrival from too far away',
      (session) => service.api.arrived(session.sessionId, session.trainerToken),
      'NOT_AT_DESTINATION',
    ],
    [
      "by somebody else's stop",
      async ({ sessionId }) => service.api.stop(sessionId, await tokenFor(crypto.randomUUID(), 'trainer')),
      'FORBIDDEN',
    ],
  ];
  test.each(refusals)('%s', async (_name, call, code) => {
    const session = await aJourneyAtSequence(5);
    const { answer } = await aWaitingStudent(service, session);
    expect(refusal(await call(session)).code).toBe(code);
    await expectWokenByTheNext(session, answer);
  });

  test('a position that was sent twice', async () => {
    const session = await aJourneyAtSequence(5);
    const { answer } = await aWaitingStudent(service, session);
    data(await later(session, 5, metersNorth(500)));
    await expectWokenByTheNext(session, answer);
  });
});

test('a coarse position ends the wait and is shown with its uncertainty', async () => {
  const session = await aJourneyAtSequence(5);
  const { answer } = await aWaitingStudent(service, session);
  data(await later(session, 6, { ...metersNorth(3_000), accuracy: 2_000 }));
  expect(data(await answer)).toMatchObject({ location: { sequence: 6, accuracy: 2_000 } });
});

/** Whatever was told before would have come before it, and a wait has one answer. */
async function expectWokenByTheNext(session: ASession, answer: Promise<Answer>): Promise<void> {
  clock.advance(10_000);
  data(await post(session, 7));
  expect(shownSequence(await answer)).toBe(7);
}

function later(session: ASession, sequence: number, more: object = {}): Promise<Answer> {
  clock.advance(5_000);
  return post(session, sequence, more);
}

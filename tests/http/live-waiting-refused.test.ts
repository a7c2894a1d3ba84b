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

const stranger = () => tokenFor(crypto.randomUUID(), 'trainer');

test.each<[name: string, call: (session: ASession) => Promise<Answer>, code: string]>([
  ['a position of a lower sequence', (session) => later(session, 4), 'LOCATION_STALE'],
  ['a fix of over 5 minutes ago', (session) => later(session, 6, { ageMs: 300_001 }), 'LOCATION_STALE'],
  ['a position too early', (session) => post(session, 6), 'RATE_LIMITED'],
  ['an implausible position', (session) => later(session, 6, metersNorth(90_000)), 'LOCATION_IMPLAUSIBLE'],
  ['a simulated position', (session) => later(session, 6, { mocked: true }), 'LOCATION_MOCKED'],
  ['an invalid position', (session) => later(session, 6, { latitude: 91 }), 'VALIDATION_FAILED'],
  [
    "another trainer's position",
    async (of) => post({ ...of, trainerToken: await stranger() }, 6),
    'FORBIDDEN',
  ],
  ['a second start', (of) => service.api.start(of.sessionId, of.trainerToken), 'JOURNEY_ALREADY_ACTIVE'],
  [
    'an arrival from too far',
    (of) => service.api.arrived(of.sessionId, of.trainerToken),
    'NOT_AT_DESTINATION',
  ],
  ["another trainer's stop", async (of) => service.api.stop(of.sessionId, await stranger()), 'FORBIDDEN'],
  ['a duplicate', (session) => later(session, 5), 'none'],
  ['a duplicate from elsewhere', (session) => later(session, 5, metersNorth(500)), 'LOCATION_STALE'],
])('a waiting poll is not answered by %s', async (_name, call, code) => {
  const session = await aJourneyAtSequence(5);
  const { answer } = await aWaitingStudent(service, session);
  expect(refusal(await call(session)).code).toBe(code);
  clock.advance(10_000);
  data(await post(session, 7));
  expect(shownSequence(await answer)).toBe(7);
});

test('a coarse position ends the wait and is shown with its uncertainty', async () => {
  const session = await aJourneyAtSequence(5);
  const { answer } = await aWaitingStudent(service, session);
  data(await later(session, 6, { ...metersNorth(3_000), accuracy: 2_000 }));
  expect(data(await answer)).toMatchObject({ location: { sequence: 6, accuracy: 2_000 } });
});

function later(session: ASession, sequence: number, more: object = {}): Promise<Answer> {
  clock.advance(5_000);
  return post(session, sequence, more);
}

import type { SampleSession } from '../../session-database.js';
import { neighbourhoods, type GeoPoint, type Neighbourhood } from '../../simulation/places.js';
import { studentName, trainerName } from '../../simulation/people.js';
import { onPlane } from '../../simulation/plane.js';
import type { PlannedSession } from '../../simulation/simulated-sessions.js';
import { addressAt } from '../../simulation/streets.js';
import type { TokenIssuer } from '../../tokens.js';
import type { MapSession } from './map-session.js';

/** The sample sessions have no names, and numbers at the end of their ids. */
const SAMPLE_NAMES_FROM = 30;

/** The sessions of a run with tokens for both sides, starting with the one to try. */
export async function mapSessions(
  samples: readonly SampleSession[],
  simulated: readonly PlannedSession[],
  tokens: TokenIssuer,
): Promise<MapSession[]> {
  const free = samples.map(async (sample) => ({
    ...(await withTokens(sample, tokens)),
    isFree: true,
    trainerName: trainerName(SAMPLE_NAMES_FROM + numberOf(sample.trainerId)),
    studentName: studentName(numberOf(sample.studentId)),
    subject: sample.subject,
    place: sample.home?.address.replace(/, Bengaluru.*/, '') ?? 'no home known',
    home: sample.home && { latitude: sample.home.latitude, longitude: sample.home.longitude },
    streets: streetsAt(sample.home),
  }));
  const driven = simulated.map(async (session) => ({
    ...(await withTokens(session, tokens)),
    ...{ isFree: false, trainerName: session.trainerName, studentName: session.studentName },
    ...{ subject: session.subject, place: addressAt(session.neighbourhood, session.home) },
    home: session.home,
    streets: session.neighbourhood,
  }));
  return Promise.all([...free, ...driven]);
}

async function withTokens(
  { id, trainerId, studentId }: Pick<PlannedSession, 'id' | 'trainerId' | 'studentId'>,
  tokens: TokenIssuer,
) {
  const { trainer, student } = await tokens.issueFor({ trainerId, studentId });
  return { id, trainerId, trainerToken: trainer, studentToken: student };
}

function numberOf(id: string): number {
  return Number.parseInt(id.slice(-4), 16);
}

function streetsAt(home: GeoPoint | null): Neighbourhood {
  const [first] = neighbourhoods.toSorted((one, other) => metersTo(one, home) - metersTo(other, home));
  if (first === undefined) throw new Error('There are no quarters.');
  return first;
}

function metersTo({ centre }: Neighbourhood, home: GeoPoint | null): number {
  if (home === null) return 0;
  const { east, north } = onPlane(home, centre);
  return Math.hypot(east, north);
}

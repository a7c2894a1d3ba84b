import type { SampleSession } from '../../session-database.js';
import { neighbourhoods, type GeoPoint, type Neighbourhood } from '../../simulation/places.js';
import { onPlane } from '../../simulation/plane.js';
import type { PlannedSession } from '../../simulation/simulated-sessions.js';
import type { TokenIssuer } from '../../tokens.js';
import type { MapSession } from './map-session.js';

/** The sessions of a run with tokens for both sides, starting with the one to try. */
export async function mapSessions(
  samples: readonly SampleSession[],
  simulated: readonly PlannedSession[],
  tokens: TokenIssuer,
): Promise<MapSession[]> {
  const free = samples.map(async (sample) => ({
    ...(await withTokens(sample, tokens)),
    isFree: true,
    trainerName: 'You',
    place: `${sample.subject}, ${sample.home?.address ?? 'no home known'}`,
    home: sample.home && { latitude: sample.home.latitude, longitude: sample.home.longitude },
    streets: streetsAt(sample.home),
  }));
  const driven = simulated.map(async (session) => ({
    ...(await withTokens(session, tokens)),
    isFree: false,
    trainerName: session.trainerName,
    place: `${session.neighbourhood.name}, Bengaluru`,
    home: session.home,
    streets: session.neighbourhood,
  }));
  return Promise.all([...free.slice(0, 1), ...driven, ...free.slice(1)]);
}

async function withTokens(
  session: Pick<PlannedSession, 'id' | 'trainerId' | 'studentId'>,
  tokens: TokenIssuer,
) {
  const { trainer, student } = await tokens.issueFor(session);
  return { id: session.id, trainerToken: trainer, studentToken: student };
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

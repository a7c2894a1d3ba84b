import { insertSessions, removeSessions } from '../session-database.js';
import type { Random } from '../simulation/random.js';
import { planSessions, type PlannedSession } from '../simulation/simulated-sessions.js';
import type { StopList } from '../stop-list.js';
import type { TokenIssuer } from '../tokens.js';
import type { LoadSession } from './sessions.js';

export interface OwnSessionsRequest {
  count: number;
  databaseUrl: string;
  issuer: TokenIssuer;
  random: Random;
}

/** Inserts sessions, to be deleted when everything stops, and signs their tokens. */
export async function createOwnSessions(
  { count, databaseUrl, issuer, random }: OwnSessionsRequest,
  { toStop }: { toStop: StopList },
): Promise<LoadSession[]> {
  const planned = planSessions(count, random);
  const ids = planned.map(({ id }) => id);
  const inserted = insertSessions(databaseUrl, planned);
  toStop.add(async () => {
    // Rows that are inserted after their deletion would stay.
    await inserted.catch(() => undefined);
    await removeSessions(databaseUrl, ids);
  });
  await inserted;
  return Promise.all(planned.map((session) => withTokens(session, issuer)));
}

export async function withTokens(session: PlannedSession, issuer: TokenIssuer): Promise<LoadSession> {
  const [trainerToken, studentToken] = await Promise.all([
    issuer.issue(session.trainerId, 'trainer'),
    issuer.issue(session.studentId, 'student'),
  ]);
  return {
    sessionId: session.id,
    trainerToken,
    studentToken,
    home: session.home,
    streetAngle: session.neighbourhood.streetAngle,
    mayBeActive: false,
  };
}

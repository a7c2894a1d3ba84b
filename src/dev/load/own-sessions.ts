import { insertSessions, removeSessions } from '../session-database.js';
import type { PlannedSession } from '../simulation/simulated-sessions.js';
import type { StopList } from '../stop-list.js';
import type { TokenIssuer } from '../tokens.js';
import type { LoadSession } from './sessions.js';

/** Inserts sessions, to be deleted when everything stops. */
export async function insertOwnSessions(
  databaseUrl: string,
  planned: PlannedSession[],
  toStop: StopList,
): Promise<void> {
  const ids = planned.map(({ id }) => id);
  const inserted = insertSessions(databaseUrl, planned);
  toStop.add(async () => {
    // Rows that are inserted after their deletion would stay.
    await inserted.catch(() => undefined);
    await removeSessions(databaseUrl, ids);
  });
  await inserted;
}

export async function withTokens(session: PlannedSession, issuer: TokenIssuer): Promise<LoadSession> {
  const { trainer, student } = await issuer.issueFor(session);
  return {
    sessionId: session.id,
    trainerToken: trainer,
    studentToken: student,
    home: session.home,
    streetAngle: session.neighbourhood.streetAngle,
    mayBeActive: false,
  };
}

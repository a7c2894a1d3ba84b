import { insertSessions, removeSessionRange } from '../session-database.js';
import type { Reaper } from '../servers/reaper.js';
import type { Random } from '../simulation/random.js';
import { planSessions, type PlannedSession } from '../simulation/simulated-sessions.js';
import type { StopList } from '../stop-list.js';
import type { TokenIssuer } from '../tokens.js';
import { newSessionIds } from './session-ids.js';
import type { LoadSession } from './sessions.js';

export interface OwnSessionsRequest {
  count: number;
  databaseUrl: string;
  issuer: TokenIssuer;
  random: Random;
}

/** Puts sessions into the database, to be removed when all stops or is killed, and signs their tokens. */
export async function createOwnSessions(
  { count, databaseUrl, issuer, random }: OwnSessionsRequest,
  { reaper, toStop }: { reaper: Reaper; toStop: StopList },
): Promise<LoadSession[]> {
  const ids = newSessionIds();
  const planned = planSessions(count, 1, random, () => ids.next()).flat();
  const charge = { kind: 'sessions', databaseUrl, range: ids.range } as const;
  reaper.watch(charge);
  const inserted = insertSessions(databaseUrl, planned);
  toStop.add(async () => {
    // Stopped meanwhile: rows that come after their removal would stay.
    await inserted.catch(() => undefined);
    await removeSessionRange(databaseUrl, ids.range);
    reaper.forget(charge);
  });
  await inserted;
  return Promise.all(planned.map((session) => withTokens(session, issuer)));
}

async function withTokens(session: PlannedSession, issuer: TokenIssuer): Promise<LoadSession> {
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
    mayBeUnderWay: false,
  };
}

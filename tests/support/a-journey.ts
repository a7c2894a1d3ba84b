import { aSession, sessionsPool, type ASession } from './a-session.js';
import { data, type Api } from './api.js';
import { keyOf } from './redis-of-the-run.js';
import { served } from './until.js';

/** A session whose journey has just been started by its trainer. */
export async function aJourney(api: Api, row: Parameters<typeof aSession>[0] = {}): Promise<ASession> {
  const session = await aSession(row);
  let tries = 0;
  const answer = await served(() => {
    tries++;
    return api.start(session.sessionId, session.trainerToken);
  });
  // 409: started by an earlier try whose answer was 503.
  if (tries === 1 || answer.status !== 409) data(answer);
  return session;
}

/** One more session, of the same trainer and another student. */
export async function anotherSessionOf({ trainerId, trainerToken }: ASession): Promise<ASession> {
  const session = await aSession();
  await sessionsPool().query('update tutoring_sessions set trainer_id = $2 where id = $1', [
    session.sessionId,
    trainerId,
  ]);
  return { ...session, trainerId, trainerToken };
}

/** The same, in the same partition of a cluster, so that both share the rate of the trainer. */
export async function anotherSessionInReach(first: ASession): Promise<ASession> {
  for (;;) {
    const second = await anotherSessionOf(first);
    if (keyOf.rate(first.trainerId, second.sessionId) === keyOf.rate(first.trainerId, first.sessionId))
      return second;
  }
}

export async function setStatus({ sessionId }: ASession, status: string): Promise<void> {
  await sessionsPool().query('update tutoring_sessions set status = $2 where id = $1', [sessionId, status]);
}

import type { ReceivedEvent } from '../event-bus/local-event-bus.js';
import type { PlannedSession } from '../simulation/simulated-sessions.js';

/** One event in one line, with names where it is about simulated people. */
export function eventLine(event: ReceivedEvent, known: ReadonlyMap<string, PlannedSession>): string {
  const { sessionId, reason } = event.detail;
  const session = typeof sessionId === 'string' ? known.get(sessionId) : undefined;
  const who = session
    ? `${session.trainerName} to ${session.neighbourhood.name}`
    : `session ${String(sessionId)}`;
  const outcome = typeof reason === 'string' ? `, ${reason}` : '';
  return `${event.receivedAt.slice(11, 19)}  ${event.detailType.padEnd(21)}  ${who}${outcome}`;
}

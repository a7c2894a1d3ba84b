import type { ReceivedEvent } from '../event-bus/local-event-bus.js';
import type { PlannedSession } from '../simulation/simulated-sessions.js';
import type { Tally } from '../simulation/tally.js';
import type { Screen } from './screen.js';

const rewriteMs = 500;
const plainLineMs = 10_000;

/** Keeps the status line up to date; the answer ends that. */
export function startStatus(screen: Screen, tally: Tally): () => void {
  const show = () => {
    screen.status(statusLine(tally));
  };
  const timer = setInterval(show, screen.isTerminal ? rewriteMs : plainLineMs);
  return () => {
    clearInterval(timer);
    if (screen.isTerminal) screen.status('');
  };
}

function statusLine(tally: Tally): string {
  const { journeysActive, journeysDone, updatesPerSecond, pollsPerSecond, events, errors } = tally.totals();
  return [
    `${journeysActive} journeys active`,
    `${journeysDone} done`,
    `${updatesPerSecond.toFixed(1)} updates/s`,
    `${pollsPerSecond.toFixed(1)} polls/s`,
    `${events} events`,
    `${errors} errors`,
  ].join(' · ');
}

/** One event in one line, with the names of simulated people where it is about them. */
export function eventLine(event: ReceivedEvent, known: ReadonlyMap<string, PlannedSession>): string {
  const { sessionId, reason } = event.detail;
  const session = typeof sessionId === 'string' ? known.get(sessionId) : undefined;
  const who = session
    ? `${session.trainerName} to ${session.neighbourhood.name}`
    : `session ${String(sessionId)}`;
  const outcome = typeof reason === 'string' ? `, ${reason}` : '';
  return `${event.receivedAt.slice(11, 19)}  ${event.detailType.padEnd(21)}  ${who}${outcome}`;
}

import type { Backlog } from '../store/backlog.js';
import type { Command } from './command-line.js';
import { listDeadLetters, requeue } from './dead-letters.js';
import { listJourneys } from './journeys.js';
import type { Operated } from './operated.js';
import { reportOutbox } from './outbox.js';

/** The lines to print. */
export async function runCommand(
  command: Exclude<Command, { name: 'help' }>,
  operated: Operated,
  backlog: Backlog,
): Promise<string[]> {
  switch (command.name) {
    case 'journeys':
      return [`${backlog.activeJourneys} active journeys`, ...(await listJourneys(operated, command))];
    case 'outbox':
      return reportOutbox(operated, { ...command, backlog });
    case 'dead-letters':
      return listDeadLetters(operated, command.limit);
    case 'requeue':
      return requeue(operated, command);
  }
}

import { parseArgs } from 'node:util';

export type Command =
  | { name: 'help' }
  | { name: 'journeys'; limit: number; sessionId: string | null }
  | { name: 'outbox'; limit: number }
  | { name: 'dead-letters'; limit: number }
  /** letters: null for the oldest ones. */
  | { name: 'requeue'; limit: number; letters: string[] | null; isConfirmed: boolean };

/** A wrong command line; the message says what is wrong. */
export class UsageError extends Error {}

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 1_000;

export const HELP = `Usage: node dist/ops.js COMMAND [--limit N]

Reads the service's Redis, with the service's own settings. Prints no positions and no tokens.

  journeys [SESSION_ID]        active journeys, by the time at which they reach their limit
  outbox                       unpublished events: how many, how old, and which task has read them
  dead-letters                 events that EventBridge rejected permanently, with the reason
  requeue LETTER... | --all    moves dead letters back to the outbox; changes something only with --yes

  --limit N                    rows, or dead letters to move: 1 to ${MAX_LIMIT}, default ${DEFAULT_LIMIT}
  --yes                        requeue: do it
  --help                       this text

Exit codes: 0 done, 1 Redis is unavailable or refused, 2 wrong command line or settings.
`;

const UUID = /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i;
const LETTER = /^(?:j\d+\/)?\d+-\d+$/;

/** @throws UsageError */
export function parseCommand(args: string[]): Command {
  const { values, positionals } = parse(args);
  const [name, ...rest] = positionals;
  if (values.help === true) return { name: 'help' };
  if (name === undefined) throw new UsageError('A command is missing.');
  const limit = limitOf(values.limit);
  if (name !== 'requeue' && (values.all === true || values.yes === true))
    throw new UsageError(`--all and --yes belong to requeue, not to ${name}.`);
  switch (name) {
    case 'journeys':
      return { name, limit, sessionId: sessionIdOf(rest) };
    case 'outbox':
    case 'dead-letters':
      if (rest.length > 0) throw new UsageError(`${name} takes no arguments, but got ${rest.join(' ')}.`);
      return { name, limit };
    case 'requeue':
      return { name, limit, letters: lettersOf(rest, values.all === true), isConfirmed: values.yes === true };
    default:
      throw new UsageError(`Unknown command ${name}.`);
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        limit: { type: 'string' },
        all: { type: 'boolean' },
        yes: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function limitOf(text = String(DEFAULT_LIMIT)): number {
  const limit = /^\d+$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_LIMIT)
    throw new UsageError(`--limit must be a whole number from 1 to ${MAX_LIMIT}.`);
  return limit;
}

function sessionIdOf([id, ...more]: string[]): string | null {
  if (id === undefined) return null;
  if (more.length > 0) throw new UsageError('journeys takes one session id.');
  if (!UUID.test(id)) throw new UsageError(`${id} is not a session id: a UUID is needed.`);
  return id.toLowerCase();
}

function lettersOf(letters: string[], all: boolean): string[] | null {
  if (all === letters.length > 0)
    throw new UsageError('requeue needs dead letters as dead-letters lists them, or --all.');
  if (letters.length > MAX_LIMIT)
    throw new UsageError(`requeue takes at most ${MAX_LIMIT} dead letters at a time.`);
  const invalid = letters.find((letter) => !LETTER.test(letter));
  if (invalid !== undefined)
    throw new UsageError(`${invalid} is not a dead letter as dead-letters lists them.`);
  return all ? null : letters;
}

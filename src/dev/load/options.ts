import { existsSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { number } from '../terminal/number-option.js';

export interface LoadOptions {
  journeys: number;
  minutes: number;
  /** Undefined: a service and everything around it are started on this machine. */
  url: URL | undefined;
  rampUpSeconds: number;
  watch: 'poll' | 'wait';
  seed: number;
  isJson: boolean;
  sessions: SessionsFrom;
}

/** The user can correct it with another option. */
export class OptionError extends Error {}

export type SessionsFrom =
  | { kind: 'database'; databaseUrl: string; jwtSecret: string }
  | { kind: 'file'; path: string }
  /** Those of the local stack. */
  | { kind: 'local' };

const mostJourneys = 50_000;
const updateIntervalSeconds = 5;
const startsPerInterval = 2_500;
const leastSecretBytes = 32;

const description = `Drives phones of many trainers and students, each with the SDK of the apps, against a deployment
of the service, and reports latencies, statuses, and what was not as the contract says. Without --url it
starts Redis, Postgres, an event bus and the built service on this machine, and stops them at the end.
Ctrl-C ends the run early, with the report of what was measured so far.`;

const notes = `
A file for --sessions has one JSON object per line, each with another trainer:
  {"sessionId": "...", "trainerToken": "...", "studentToken": "...", "home": {"latitude": 12.97, "longitude": 77.59}}
It needs at least as many sessions as journeys. Sessions are used again when they run out.

A student who waits uses a connection: with --watch wait, "ulimit -n" must allow one per journey and 1,100 more.

Without --url, REDIS_URL and DATABASE_URL name servers to use instead of throw-away ones.

Exit code: 0 when all answers were as the contract says, 1 when one was not, 2 for wrong options. Network errors
and unavailability that the SDK overcame (503) are reported, but do not change the exit code.`;

interface Values {
  journeys: number;
  minutes: number;
  rampUp?: number;
  watch: 'poll' | 'wait';
  seed?: number;
  json?: true;
  url?: URL;
  databaseUrl?: string;
  jwtSecret?: string;
  sessions?: string;
}

/** Exits with code 2 and one line on standard error where an option is wrong. */
export function readOptions(args: string[]): LoadOptions {
  const program = command();
  program.parse(args, { from: 'user' });
  const values = program.opts<Values>();
  const { journeys, minutes, watch, url } = values;
  return {
    ...{ journeys, minutes, watch, url },
    rampUpSeconds: values.rampUp ?? Math.ceil(journeys / startsPerInterval) * updateIntervalSeconds,
    seed: values.seed ?? Math.floor(Math.random() * 1_000_000),
    isJson: values.json ?? false,
    sessions: sessionsFrom(program, values),
  };
}

function command(): Command {
  const secret = new Option('--jwt-secret <secret>', 'its AUTH_JWT_SECRET, to sign tokens');
  const database = new Option(
    '--database-url <url>',
    'its Postgres; sessions are inserted there, and deleted at the end',
  );
  return new Command('npm run simulate --')
    .description(description)
    .option('--journeys <n>', 'trainers who drive at the same time', number(1, mostJourneys, 'whole'), 1_000)
    .option('--minutes <m>', 'how long to measure, after the ramp-up', number(0.01, 1_440), 1)
    .option(
      '--ramp-up <seconds>',
      'over which the first journeys start (default: by --journeys)',
      number(0, 3_600),
    )
    .addOption(
      new Option('--watch <how>', 'how students watch: polls, or requests that wait for a change')
        .choices(['poll', 'wait'])
        .default('poll'),
    )
    .option('--seed <n>', 'repeats the routes and speeds of another run', number(0, 2 ** 32 - 1, 'whole'))
    .option('--json', 'print the report as JSON; progress goes to standard error')
    .option('--url <url>', 'where the service is, such as http://localhost:3010', httpUrl)
    .addOption(database.env('SIMULATE_DATABASE_URL'))
    .addOption(secret.env('SIMULATE_JWT_SECRET'))
    .option(
      '--sessions <file>',
      'sessions with tokens, instead of --database-url and --jwt-secret',
      existingFile,
    )
    .addHelpText('after', notes)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
}

function sessionsFrom(program: Command, values: Values): SessionsFrom {
  const { url, databaseUrl, jwtSecret, sessions } = values;
  const fail = (message: string): never => program.error(`error: ${message}`);
  if (url === undefined) {
    const names = ['databaseUrl', 'jwtSecret', 'sessions'];
    const isGiven = names.some((name) => program.getOptionValueSource(name) === 'cli');
    return isGiven ? fail('--database-url, --jwt-secret and --sessions need --url.') : { kind: 'local' };
  }
  if (sessions !== undefined) return { kind: 'file', path: sessions };
  if (databaseUrl === undefined || jwtSecret === undefined) {
    return fail(
      '--url needs --database-url and --jwt-secret (or SIMULATE_DATABASE_URL and SIMULATE_JWT_SECRET), or --sessions.',
    );
  }
  // Not by Commander, whose message would show the password.
  if (!hasProtocol(databaseUrl, ['postgres:', 'postgresql:']))
    fail('--database-url must be a URL with postgres:.');
  if (Buffer.byteLength(jwtSecret) < leastSecretBytes) {
    fail(`--jwt-secret must have at least ${leastSecretBytes} bytes.`);
  }
  return { kind: 'database', databaseUrl, jwtSecret };
}

function httpUrl(text: string): URL {
  if (hasProtocol(text, ['http:', 'https:'])) return new URL(text);
  throw new InvalidArgumentError('Must be a URL with http: or https:.');
}

function hasProtocol(text: string, protocols: string[]): boolean {
  return URL.canParse(text) && protocols.includes(new URL(text).protocol);
}

function existingFile(path: string): string {
  if (!existsSync(path)) throw new InvalidArgumentError('No such file.');
  return path;
}

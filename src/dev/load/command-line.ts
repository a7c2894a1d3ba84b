import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';

export interface LoadOptions {
  journeys: number;
  minutes: number;
  /** Undefined: a service and everything around it are started on this machine. */
  url: URL | undefined;
  rampUpSeconds: number;
  watch: 'poll' | 'wait';
  /** The share of the journeys that a student watches. */
  watchShare: number;
  seed: number;
  /** Journeys that go on at the end are not stopped. */
  leavesJourneys: boolean;
  isJson: boolean;
  sessions: SessionsFrom;
  /** The Node that the local service runs on. */
  node: string;
}

export type SessionsFrom =
  | { kind: 'database'; databaseUrl: string; jwtSecret: string }
  | { kind: 'file'; path: string }
  /** Those of the local stack. */
  | { kind: 'local' };

export type CommandLine =
  { kind: 'run'; options: LoadOptions } | { kind: 'help' } | { kind: 'wrong'; reason: string };

export const mostJourneys = 50_000;
const updateIntervalSeconds = 5;
const startsPerInterval = 2_500;
const leastSecretBytes = 32;

export const helpText = `npm run simulate -- [options]

Drives a deployment of the service through HTTP with the phones of many trainers and students, and
says how it did. Requests leave on schedule whatever the answers do, and latency counts from the
moment when a request was due. Without --url it starts a Redis, a Postgres, an event bus and the
built service on this machine, and stops them at the end. Ctrl-C ends the run early; the table of
what was measured so far comes all the same.

  --journeys N          trainers on their way at any time, 1 to ${mostJourneys} (default 1000)
  --minutes M           how long to measure, after the ramp-up; 0.5 is half a minute (default 1)
  --ramp-up SECONDS     over which the first journeys start (default: one update interval of 5 s for
                        each ${startsPerInterval} journeys)
  --watch poll|wait     how students watch: at the server's nextPollMs (default), or by requests that
                        wait for news (Prefer: wait=25), each on a connection of its own
  --watch-share S       the share of the journeys that a student watches, 0 to 1 (default 1)
  --seed N              the same routes, speeds and pauses again (default: a new one, which is told)
  --leave               leave the journeys that go on at the end, instead of stopping them
  --json                the result as JSON on standard output; progress goes to standard error anyway
  --help                this text

A deployment of its own, http or https:
  --url URL             where the service answers, such as http://localhost:3010
  --database-url URL    its Postgres: sessions are inserted there, and removed at the end
  --jwt-secret SECRET   its AUTH_JWT_SECRET, to sign tokens with
  --sessions FILE       instead of the last two, for a deployment whose database or keys are out of
                        reach: JSON lines, each a session of another trainer,
                        {"sessionId": "...", "trainerToken": "...", "studentToken": "...",
                         "home": {"latitude": 12.97, "longitude": 77.59}}
                        at least as many as journeys, and a few more to take the place of those that
                        arrive; sessions are used again when they run out

The service on this machine, without --url; its other settings come from the environment:
  --node PATH           the Node that it runs on (default: this one)

Environment: SIMULATE_DATABASE_URL and SIMULATE_JWT_SECRET in place of --database-url and --jwt-secret,
which other users of the machine could read; without --url, REDIS_URL and DATABASE_URL to use these
instead of starting throw-away ones.

Exit code: 0 when all answers were as they should be, 1 when one was not, 2 for options that are wrong.
Trouble of the network alone (refused and broken connections) is counted, but is no reason for 1.`;

export function readCommandLine(args: string[], environment: NodeJS.ProcessEnv): CommandLine {
  try {
    const { values } = parseArgs({ args, options: known });
    if (values.help) return { kind: 'help' };
    const journeys = number('--journeys', values.journeys, { standard: 1_000, least: 1, most: mostJourneys });
    if (!Number.isInteger(journeys)) throw wrong('--journeys', journeys, 'a whole number');
    const url = readUrl('--url', values.url, ['http:', 'https:']);
    return {
      kind: 'run',
      options: {
        journeys,
        url,
        minutes: number('--minutes', values.minutes, { standard: 1, least: 0.01, most: 1_440 }),
        rampUpSeconds: number('--ramp-up', values['ramp-up'], {
          standard: Math.ceil(journeys / startsPerInterval) * updateIntervalSeconds,
          least: 0,
          most: 3_600,
        }),
        watch: readWatch(values.watch),
        watchShare: number('--watch-share', values['watch-share'], { standard: 1, least: 0, most: 1 }),
        seed: number('--seed', values.seed, { standard: newSeed(), least: 0, most: 2 ** 32 - 1 }),
        leavesJourneys: values.leave ?? false,
        isJson: values.json ?? false,
        sessions: readSessionsFrom(values, url, environment),
        node: values.node ?? process.execPath,
      },
    };
  } catch (error) {
    return { kind: 'wrong', reason: error instanceof Error ? error.message : String(error) };
  }
}

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const known = {
  journeys: text,
  minutes: text,
  url: text,
  'ramp-up': text,
  watch: text,
  'watch-share': text,
  seed: text,
  'database-url': text,
  'jwt-secret': text,
  sessions: text,
  node: text,
  leave: flag,
  json: flag,
  help: { ...flag, short: 'h' },
} as const;

type Values = Partial<Record<keyof typeof known, string | boolean>>;

const newSeed = () => Math.floor(Math.random() * 1_000_000);

function readSessionsFrom(
  values: Values,
  url: URL | undefined,
  environment: NodeJS.ProcessEnv,
): SessionsFrom {
  const given = (name: keyof typeof known) => values[name] as string | undefined;
  const ofADeployment = (['database-url', 'jwt-secret', 'sessions'] as const).find((name) => given(name));
  if (url === undefined) {
    if (ofADeployment) throw new Error(`--${ofADeployment} is of a deployment: add --url, or leave it out.`);
    return { kind: 'local' };
  }
  if (given('node') !== undefined) {
    throw new Error('--node is of a service that is started here: leave out either --node or --url.');
  }
  const path = given('sessions');
  if (path !== undefined) {
    if (!existsSync(path)) throw wrong('--sessions', path, 'a file that exists');
    return { kind: 'file', path };
  }
  const databaseUrl = given('database-url') ?? environment['SIMULATE_DATABASE_URL'];
  const jwtSecret = given('jwt-secret') ?? environment['SIMULATE_JWT_SECRET'];
  if (!databaseUrl || !jwtSecret) {
    throw new Error(
      '--url needs sessions and tokens that are valid there: add --database-url and --jwt-secret ' +
        '(or SIMULATE_DATABASE_URL and SIMULATE_JWT_SECRET), or --sessions FILE.',
    );
  }
  readUrl('--database-url', databaseUrl, ['postgres:', 'postgresql:']);
  if (Buffer.byteLength(jwtSecret) < leastSecretBytes) {
    throw new Error(
      `--jwt-secret is shorter than ${leastSecretBytes} bytes, which the service does not take.`,
    );
  }
  return { kind: 'database', databaseUrl, jwtSecret };
}

function readUrl(name: string, given: string | undefined, protocols: string[]): URL | undefined {
  if (given === undefined) return undefined;
  const url = URL.canParse(given) ? new URL(given) : undefined;
  // Not shown: it may hold a password.
  if (url === undefined || !protocols.includes(url.protocol)) {
    const beginnings = protocols.map((protocol) => `${protocol}//`).join(' or ');
    throw new Error(`${name} has to be a URL that begins with ${beginnings}.`);
  }
  return url;
}

function readWatch(given = 'poll'): 'poll' | 'wait' {
  if (given !== 'poll' && given !== 'wait') throw wrong('--watch', given, 'poll or wait');
  return given;
}

function number(
  name: string,
  given: string | undefined,
  { standard, least, most }: { standard: number; least: number; most: number },
): number {
  if (given === undefined) return standard;
  const value = /^\d+(\.\d+)?$/.test(given) ? Number(given) : NaN;
  if (!(value >= least && value <= most)) throw wrong(name, given, `a number from ${least} to ${most}`);
  return value;
}

function wrong(name: string, given: string | number, wanted: string): Error {
  return new Error(`${name} is "${given}", but has to be ${wanted}.`);
}

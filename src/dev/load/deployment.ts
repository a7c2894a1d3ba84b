import { execFileSync } from 'node:child_process';
import type { Reaper } from '../servers/reaper.js';
import { answersQuery } from '../servers/local-postgres.js';
import { longMeters, planJourney } from '../simulation/journey-plan.js';
import { seededRandom } from '../simulation/random.js';
import type { StopList } from '../stop-list.js';
import type { Screen } from '../terminal/screen.js';
import { TokenIssuer } from '../tokens.js';
import type { LoadOptions } from './command-line.js';
import { startLocalStack } from './local-stack.js';
import { createOwnSessions } from './own-sessions.js';
import { livePath } from './phone.js';
import { readSessionFile } from './session-file.js';
import type { LoadSession } from './sessions.js';
import type { WatchedProcess } from './usage.js';

/** Where the load goes, and what is needed for it. */
export interface Deployment {
  url: URL;
  sessions: LoadSession[];
  processes: WatchedProcess[];
}

export interface DeploymentDependencies {
  screen: Screen;
  reaper: Reaper;
  toStop: StopList;
  onFailure: (what: string, lastLines: string) => void;
}

/** Something that whoever started this can put right by another option. */
export class OptionError extends Error {}

const lookWithinMs = 10_000;
const spareShare = 1.3;
const leastSpare = 20;

export async function prepareDeployment(
  options: LoadOptions,
  dependencies: DeploymentDependencies,
): Promise<Deployment> {
  const { sessions: from, url, journeys } = options;
  if (url === undefined || from.kind === 'local') {
    checkNode(options.node);
    const {
      url: localUrl,
      databaseUrl,
      issuer,
      processes,
    } = await startLocalStack(options.node, dependencies);
    const sessions = await ownSessions(options, databaseUrl, issuer, dependencies);
    return { url: localUrl, sessions, processes };
  }
  if (from.kind === 'file') {
    const sessions = optionErrors(() => readSessionFile(from.path, journeys));
    await look(url, sessions);
    return { url, sessions, processes: [] };
  }
  const { databaseUrl, jwtSecret } = from;
  await answersQuery(databaseUrl).catch((error: unknown) => {
    throw new OptionError(`--database-url does not answer: ${reasonOf(error)}`);
  });
  const sessions = await ownSessions(options, databaseUrl, new TokenIssuer(jwtSecret), dependencies);
  await look(url, sessions);
  return { url, sessions, processes: [] };
}

/** Runs what finds out about an option that is wrong. */
export function optionErrors<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw new OptionError(reasonOf(error));
  }
}

function ownSessions(
  options: LoadOptions,
  databaseUrl: string,
  issuer: TokenIssuer,
  dependencies: DeploymentDependencies,
): Promise<LoadSession[]> {
  const count = options.journeys + spareSessions(options);
  const random = seededRandom(options.seed);
  return dependencies.screen.step(
    'creating sessions and tokens',
    () => createOwnSessions({ count, databaseUrl, issuer, random }, dependencies),
    (sessions) => `${sessions.length} sessions`,
  );
}

/** For the journeys that take the place of those that end. More than once round is not needed: they are used again. */
function spareSessions({ journeys, minutes, rampUpSeconds, seed }: LoadOptions): number {
  const random = seededRandom(seed);
  const somewhere = { latitude: 0, longitude: 0 };
  const lastsMs = Array.from({ length: 50 }, () => planJourney(somewhere, 0, longMeters, random)).map(
    ({ drive, cancelAfterMs }) => cancelAfterMs ?? drive.durationMs,
  );
  const meanSeconds = lastsMs.reduce((sum, ms) => sum + ms, 0) / lastsMs.length / 1_000;
  const expected = (journeys * (minutes * 60 + rampUpSeconds)) / meanSeconds;
  return Math.min(journeys, Math.ceil(expected * spareShare)) + leastSpare;
}

/** The service answers, and knows the sessions and their tokens: otherwise the run would find out nothing else. */
async function look(url: URL, [session]: LoadSession[]): Promise<void> {
  if (session === undefined) throw new OptionError('There are no sessions.');
  const headers = { authorization: `Bearer ${session.studentToken}` };
  const answer = await fetch(url.origin + livePath(session.sessionId), {
    headers,
    signal: AbortSignal.timeout(lookWithinMs),
  }).catch((error: unknown) => {
    throw new OptionError(
      `--url ${url.origin} does not answer: ${reasonOf(error)}. Start the service there first.`,
    );
  });
  if (answer.status === 401) {
    throw new OptionError(
      "The service takes no token that is signed like this: --jwt-secret has to be its AUTH_JWT_SECRET. Where it checks an issuer or an audience, or takes keys from AUTH_JWKS_URL, use --sessions FILE with tokens of the deployment's own.",
    );
  }
  if (answer.status === 403 || answer.status === 404) {
    throw new OptionError(
      `The service answers ${answer.status} for the first session: --database-url has to be the Postgres that this service reads, or --sessions a file of sessions that it knows, with their own students' tokens.`,
    );
  }
}

function checkNode(node: string): void {
  try {
    execFileSync(node, ['--version'], { stdio: 'ignore' });
  } catch {
    throw new OptionError(`--node ${node} is no Node that runs here.`);
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  if (error instanceof Error && error.cause !== undefined) return reasonOf(error.cause);
  return error instanceof Error ? error.message : String(error);
}

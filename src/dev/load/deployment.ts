import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { JourneyApi, type JourneyApiError } from '../../client/index.js';
import { projectFolder, type ServiceProgram } from '../local-service.js';
import { LocalStack, reasonOf } from '../local-stack.js';
import { answersQuery } from '../servers/local-postgres.js';
import { freePort } from '../servers/server-process.js';
import { seededRandom } from '../simulation/random.js';
import { planSessions } from '../simulation/simulated-sessions.js';
import type { StopList } from '../stop-list.js';
import type { Screen } from '../terminal/screen.js';
import { TokenIssuer } from '../tokens.js';
import { OptionError, type LoadOptions } from './options.js';
import { insertOwnSessions, withTokens } from './own-sessions.js';
import { readSessionFile } from './session-file.js';
import type { LoadSession } from './sessions.js';
import type { WatchedProcess } from './usage.js';

/** What the phones call. */
export interface Deployment {
  url: URL;
  sessions: LoadSession[];
  processes: WatchedProcess[];
}

export interface DeploymentDependencies {
  screen: Screen;
  toStop: StopList;
  onFailure: (what: string, lastLines: string) => void;
}

/** One drives, and the next one is ready while the student of the first still looks. */
const sessionsPerTrainer = 2;
const PackageFile = z.object({ scripts: z.object({ start: z.string().startsWith('node ') }) });

/** @throws OptionError */
export async function prepareDeployment(
  options: LoadOptions,
  dependencies: DeploymentDependencies,
): Promise<Deployment> {
  const { sessions: from, url, journeys } = options;
  if (url === undefined || from.kind === 'local') return startLocalDeployment(options, dependencies);
  if (from.kind === 'file') {
    const sessions = readSessionFile(from.path, journeys);
    await check(url, sessions);
    return { url, sessions, processes: [] };
  }
  await answersQuery(from.databaseUrl).catch((error: unknown) => {
    throw new OptionError(`--database-url does not answer: ${reasonOf(error)}`);
  });
  const issuer = new TokenIssuer(from.jwtSecret);
  const sessions = await ownSessions(options, from.databaseUrl, issuer, dependencies);
  await check(url, sessions);
  return { url, sessions, processes: [] };
}

async function startLocalDeployment(
  options: LoadOptions,
  dependencies: DeploymentDependencies,
): Promise<Deployment> {
  const { screen, toStop, onFailure } = dependencies;
  const stack = new LocalStack({
    ...{ redisUrl: process.env['REDIS_URL'], databaseUrl: process.env['DATABASE_URL'], onFailure },
    step: (what, work, outcome) => screen.step(what, work, outcome),
    say: screen.show.bind(screen),
  });
  toStop.add(() => stack.stop());
  await stack.start();
  const [port, managementPort] = [await freePort(), await freePort()];
  const program = productionProgram();
  const service = await stack.startService({ port, managementPort, corsOrigins: [], program });
  const sessions = await ownSessions(options, stack.postgres.url, stack.tokens, dependencies);
  const redis = stack.redis.pid === undefined ? [] : [{ name: 'Redis', pid: stack.redis.pid }];
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    sessions,
    processes: [{ name: 'service', pid: service.pid }, ...redis],
  };
}

/** What `npm start` starts, and so production. */
function productionProgram(): ServiceProgram {
  const file = readFileSync(join(projectFolder, 'package.json'), 'utf8');
  const [, ...args] = PackageFile.parse(JSON.parse(file)).scripts.start.split(' ');
  return { args, environment: { NODE_ENV: 'production' } };
}

function ownSessions(
  { journeys, seed }: LoadOptions,
  databaseUrl: string,
  issuer: TokenIssuer,
  { screen, toStop }: DeploymentDependencies,
): Promise<LoadSession[]> {
  const planned = planSessions(journeys * sessionsPerTrainer, seededRandom(seed));
  const create = async () => {
    await insertOwnSessions(databaseUrl, planned, toStop);
    return Promise.all(planned.map((session) => withTokens(session, issuer)));
  };
  return screen.step('creating sessions and tokens', create, () => `${planned.length} sessions`);
}

/** The service answers, and knows the sessions and their tokens. */
async function check(url: URL, [session]: LoadSession[]): Promise<void> {
  if (session === undefined) throw new OptionError('There are no sessions.');
  const api = new JourneyApi({ baseUrl: url.origin, getToken: () => session.studentToken });
  try {
    await api.live(session.sessionId);
  } catch (error) {
    const { status, message } = error as JourneyApiError;
    const advice = refusals[status];
    if (advice !== undefined) throw new OptionError(`--url ${url.origin} ${advice} (${message})`);
  }
}

/** What the answer to the first call says about the options. */
const refusals: Partial<Record<number, string>> = {
  0: 'does not answer: start the service there first.',
  401: 'does not accept the tokens: --jwt-secret must be its AUTH_JWT_SECRET; where it checks an issuer or an audience, or has AUTH_JWKS_URL, use --sessions.',
  403: 'does not accept the first session: --database-url must be its Postgres, and --sessions need the tokens of their students.',
  404: 'does not know the first session: --database-url must be its Postgres, and --sessions must be sessions of it.',
};

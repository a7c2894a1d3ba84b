import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { givenOrLocal, type AvailableServer, type ServerKind } from '../available-server.js';
import { startLocalEventBus } from '../event-bus/local-event-bus.js';
import { projectFolder, startLocalService, type ServiceProgram } from '../local-service.js';
import { answersQuery, startLocalPostgres } from '../servers/local-postgres.js';
import { answersPing, startLocalRedis } from '../servers/local-redis.js';
import type { Reaper } from '../servers/reaper.js';
import { createSchema, untouchedSessionId } from '../session-database.js';
import type { StopList } from '../stop-list.js';
import { Repeats } from '../terminal/repeats.js';
import type { Screen } from '../terminal/screen.js';
import { troubleIn } from '../terminal/service-log.js';
import { TokenIssuer } from '../tokens.js';
import { canPin, pinned, pinThisProcess } from './cores.js';
import type { WatchedProcess } from './usage.js';

export interface LocalStack {
  url: URL;
  databaseUrl: string;
  issuer: TokenIssuer;
  processes: WatchedProcess[];
}

export interface LocalStackDependencies {
  screen: Screen;
  reaper: Reaper;
  toStop: StopList;
  /** Told when a part ends that should not. */
  onFailure: (what: string, lastLines: string) => void;
}

const serviceCore = 0;
const simulatorCore = 1;
const PackageFile = z.object({ scripts: z.object({ start: z.string().startsWith('node ') }) });

/** The service as it runs in production, and everything that it needs, on this machine. */
export async function startLocalStack(
  node: string,
  dependencies: LocalStackDependencies,
): Promise<LocalStack> {
  const { screen, toStop } = dependencies;
  if (!existsSync(join(projectFolder, 'dist/main.js'))) throw new Error('There is no build: npm run build');
  const server = (name: string, givenUrl: string | undefined, kind: ServerKind) =>
    startServer(name, givenUrl, kind, dependencies);
  const redis = await server('Redis', process.env['REDIS_URL'], {
    start: startLocalRedis,
    isReady: answersPing,
  });
  const postgres = await server('Postgres', process.env['DATABASE_URL'], {
    start: startLocalPostgres,
    isReady: answersQuery,
  });
  await createSchema(postgres.url);
  const bus = await startLocalEventBus();
  toStop.add(() => bus.stop());
  const issuer = new TokenIssuer();
  const service = await startService(dependencies, issuer, {
    preferredPort: 0,
    preferredManagementPort: 0,
    redisUrl: redis.url,
    databaseUrl: postgres.url,
    eventBusUrl: bus.url,
    jwtSecret: issuer.secret,
    corsOrigins: [],
    program: productionProgram(node),
  });
  if (canPin()) pinThisProcess(simulatorCore);
  screen.tell(`the service is at http://127.0.0.1:${service.port}`);
  return {
    url: new URL(`http://127.0.0.1:${service.port}`),
    databaseUrl: postgres.url,
    issuer,
    processes: [
      { name: 'service', pid: service.process.pid },
      ...(redis.pid === undefined ? [] : [{ name: 'Redis', pid: redis.pid }]),
    ],
  };
}

/** What `npm start` starts, and so production. */
function productionProgram(node: string): ServiceProgram {
  const file = readFileSync(join(projectFolder, 'package.json'), 'utf8');
  const [, ...args] = PackageFile.parse(JSON.parse(file)).scripts.start.split(' ');
  const environment = { NODE_ENV: 'production' };
  return canPin()
    ? { ...pinned(serviceCore, node, args), environment }
    : { command: node, args, environment };
}

async function startServer(
  name: string,
  givenUrl: string | undefined,
  kind: ServerKind,
  { screen, reaper, toStop, onFailure }: LocalStackDependencies,
): Promise<AvailableServer> {
  const server = await givenOrLocal(name, givenUrl, kind, { screen, reaper });
  let isStopping = false;
  toStop.add(() => {
    isStopping = true;
    return server.stop();
  });
  void server.ended.then((lastLines) => {
    if (!isStopping) onFailure(`${name} ended unexpectedly.`, lastLines);
  });
  return server;
}

async function startService(
  { screen, reaper, toStop, onFailure }: LocalStackDependencies,
  issuer: TokenIssuer,
  settings: Parameters<typeof startLocalService>[0],
) {
  const repeats = new Repeats((line) => {
    screen.show(line);
  });
  const onLogLine = (line: string) => {
    const trouble = troubleIn(line);
    if (trouble) repeats.tell(trouble.kind, trouble.line);
  };
  const token = await issuer.issue(untouchedSessionId, 'admin');
  const service = await screen.step(
    'starting the service',
    () => startLocalService(settings, { reaper, onLogLine, token }),
    ({ port }) => `port ${port}`,
  );
  let isStopping = false;
  toStop.add(() => {
    isStopping = true;
    return service.process.stop();
  });
  void service.process.ended.then(() => {
    if (!isStopping) onFailure('The service ended unexpectedly.', service.process.lastOutput());
  });
  return service;
}

import { extname, join } from 'node:path';
import type { Reaper } from './servers/reaper.js';
import { startServerProcess, untilReady, type ServerProcess } from './servers/server-process.js';

export interface LocalServiceSettings {
  port: number;
  managementPort: number;
  redisUrl: string;
  databaseUrl: string;
  eventBusUrl: string;
  jwtSecret: string;
  corsOrigins: string[];
  program: ServiceProgram;
}

export interface ServiceProgram {
  args: string[];
  environment?: NodeJS.ProcessEnv;
}

/** The service as this process is run: from its source, or compiled. */
export const ownProgram: ServiceProgram = {
  args: [...process.execArgv, join(import.meta.dirname, `../main${extname(import.meta.filename)}`)],
};

export interface LocalServiceDependencies {
  reaper: Reaper;
  onLogLine: (line: string) => void;
  /** Any token of this run. */
  token: string;
}

export const projectFolder = join(import.meta.dirname, '../..');

/** The service as a process of its own. */
export async function startLocalService(
  settings: LocalServiceSettings,
  { reaper, onLogLine, token }: LocalServiceDependencies,
): Promise<ServerProcess> {
  const server = await startServerProcess(
    {
      command: process.execPath,
      args: settings.program.args,
      stopSignal: 'SIGTERM',
      environment: environmentOf(settings),
      cwd: projectFolder,
      onLine: onLogLine,
    },
    reaper,
  );
  await untilReady(server, () => isReady(`http://127.0.0.1:${settings.port}`, token));
  return server;
}

/** The token shows that the answer does not come from another service. */
async function isReady(url: string, token: string): Promise<void> {
  const ready = await fetch(`${url}/health/ready`);
  const path = '/api/v1/admin/location-tracking/journey/live?sessionId=00000000-0000-4000-8000-000000000000';
  const live = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
  if (!ready.ok || live.status === 401) throw new Error(`ready: ${ready.status}, token: ${live.status}`);
}

function environmentOf(settings: LocalServiceSettings): NodeJS.ProcessEnv {
  const given = { ...process.env };
  // Of the user's other work: tokens and credentials are those of this run.
  for (const name of ['AUTH_JWKS_URL', 'AUTH_ISSUER', 'AUTH_AUDIENCE', 'AWS_PROFILE', 'AWS_SESSION_TOKEN']) {
    Reflect.deleteProperty(given, name);
  }
  return {
    ...given,
    PORT: String(settings.port),
    MANAGEMENT_PORT: String(settings.managementPort),
    REDIS_URL: settings.redisUrl,
    DATABASE_URL: settings.databaseUrl,
    AUTH_JWT_SECRET: settings.jwtSecret,
    CORS_ORIGINS: [...settings.corsOrigins, given['CORS_ORIGINS'] ?? ''].filter(Boolean).join(','),
    AWS_ENDPOINT_URL_EVENTBRIDGE: settings.eventBusUrl,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    SHUTDOWN_DELAY_MS: '0',
    ...settings.program.environment,
  };
}

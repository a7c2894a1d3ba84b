import { join } from 'node:path';
import type { Reaper } from './servers/reaper.js';
import { freePort, startServerProcess, untilReady, type ServerProcess } from './servers/server-process.js';

export interface LocalServiceSettings {
  /** 0: any free port. */
  preferredPort: number;
  preferredManagementPort: number;
  redisUrl: string;
  databaseUrl: string;
  eventBusUrl: string;
  jwtSecret: string;
  corsOrigins: string[];
  program: ServiceProgram;
}

export interface ServiceProgram {
  command: string;
  args: string[];
  environment?: NodeJS.ProcessEnv;
}

/** The service from its source, without a build. */
export const programFromSource: ServiceProgram = {
  command: process.execPath,
  args: ['--import', 'tsx', 'src/main.ts'],
};

export interface LocalService {
  port: number;
  managementPort: number;
  process: ServerProcess;
}

export interface LocalServiceDependencies {
  reaper: Reaper;
  onLogLine: (line: string) => void;
  /** Any token of this run. */
  token: string;
}

export const projectFolder = join(import.meta.dirname, '../..');
const attempts = 3;

/** The service as a process of its own, on the preferred ports or on others where those are taken. */
export async function startLocalService(
  settings: LocalServiceSettings,
  dependencies: LocalServiceDependencies,
): Promise<LocalService> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort(settings.preferredPort);
    const managementPort = await freePort(settings.preferredManagementPort);
    const server = await startServerProcess(
      {
        command: settings.program.command,
        args: settings.program.args,
        stopSignal: 'SIGTERM',
        environment: environmentOf(settings, port, managementPort),
        cwd: projectFolder,
        onLine: dependencies.onLogLine,
      },
      dependencies.reaper,
    );
    try {
      await untilReady(server, () => isReady(`http://127.0.0.1:${port}`, dependencies.token));
      return { port, managementPort, process: server };
    } catch (error) {
      await server.stop();
      // Another process may take the port after it was found free.
      if (attempt < attempts && server.lastOutput().includes('EADDRINUSE')) continue;
      throw error;
    }
  }
}

/** The token shows that the answer does not come from another service. */
async function isReady(url: string, token: string): Promise<void> {
  const ready = await fetch(`${url}/health/ready`);
  const path = '/api/v1/admin/location-tracking/journey/live?sessionId=00000000-0000-4000-8000-000000000000';
  const live = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
  if (!ready.ok || live.status === 401) throw new Error(`ready: ${ready.status}, token: ${live.status}`);
}

function environmentOf(
  settings: LocalServiceSettings,
  port: number,
  managementPort: number,
): NodeJS.ProcessEnv {
  const given = { ...process.env };
  // Of the user's other work: tokens and credentials are those of this run.
  for (const name of ['AUTH_JWKS_URL', 'AUTH_ISSUER', 'AUTH_AUDIENCE', 'AWS_PROFILE', 'AWS_SESSION_TOKEN']) {
    Reflect.deleteProperty(given, name);
  }
  return {
    ...given,
    PORT: String(port),
    MANAGEMENT_PORT: String(managementPort),
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

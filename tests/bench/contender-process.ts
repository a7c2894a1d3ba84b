import { once } from 'node:events';
import { connect } from 'node:net';
import { projectFolder } from '../../src/dev/local-service.js';
import type { Reaper } from '../../src/dev/servers/reaper.js';
import { freePort, startServerProcess, untilReady } from '../../src/dev/servers/server-process.js';
import { SECRET } from '../support/tokens.js';
import { nodeFlags, type ContenderKind, type ContenderName } from './contenders/registry.js';
import { onTheServicesCore } from './cores.js';

export interface Contender {
  kind: ContenderKind;
  name: ContenderName;
  pid: number;
  port: number;
  managementPort: number;
  stop(): Promise<void>;
}

export interface ContenderSurroundings {
  node: string;
  reaper: Reaper;
  redisUrl: string;
  databaseUrl: string;
  eventBusUrl: string;
}

/** Settings other than production's. */
export type Settings = Record<string, string>;
/** An update of each journey whenever the load has come round. */
export const saturationSettings: Settings = { UPDATE_INTERVAL_MS: '1' };

const ATTEMPTS = 3;

export async function startContender(
  kind: ContenderKind,
  surroundings: ContenderSurroundings,
  settings: Settings,
): Promise<Contender> {
  const { node, reaper } = surroundings;
  // Its log goes nowhere: a pipe to this process would cost the load's core.
  const quietly = ['-c', 'exec "$@" >/dev/null', 'sh'];
  const args = [...quietly, ...onTheServicesCore([node, ...nodeFlags, ...kind.program])];
  for (let attempt = 1; ; attempt++) {
    const ports = { port: await freePort(), managementPort: await freePort() };
    const environment = environmentOf(surroundings, ports, settings);
    const command = { command: 'sh', args, stopSignal: 'SIGKILL', cwd: projectFolder, environment } as const;
    const server = await startServerProcess(command, reaper);
    try {
      await untilReady(server, () => listens(ports.port));
      return { kind, name: kind.name, pid: server.pid, ...ports, stop: () => server.stop() };
    } catch (error) {
      await server.stop();
      // Between the look and the listening, another process may take the port for a connection of its own.
      if (attempt === ATTEMPTS || !server.lastOutput().includes('EADDRINUSE')) throw error;
    }
  }
}

function environmentOf(
  { redisUrl, databaseUrl, eventBusUrl }: ContenderSurroundings,
  { port, managementPort }: Pick<Contender, 'port' | 'managementPort'>,
  settings: Settings,
): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'] ?? '',
    NODE_ENV: 'production',
    PORT: String(port),
    MANAGEMENT_PORT: String(managementPort),
    REDIS_URL: redisUrl,
    DATABASE_URL: databaseUrl,
    AUTH_JWT_SECRET: SECRET,
    AWS_ENDPOINT_URL_EVENTBRIDGE: eventBusUrl,
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
    ...settings,
  };
}

async function listens(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { Charge } from './reaper.js';
import {
  findProgram,
  startServerProcess,
  untilReady,
  type LocalServer,
  type LocalServerOptions,
} from './server-process.js';

const run = promisify(execFile);
const answerWithinMs = 5_000;
const pullWithinMs = 180_000;

export interface ContainerRequest {
  image: string;
  /** The port inside the container. */
  port: number;
  command: string[];
  environment: Record<string, string>;
  input?: string;
  urlAt(port: number): string;
  isReady(url: string): Promise<void>;
}

/** A server in a container of its own; undefined where no Docker engine answers. */
export async function startContainer(
  request: ContainerRequest,
  { reaper, say }: LocalServerOptions,
): Promise<LocalServer | undefined> {
  const docker = findProgram('docker');
  if (docker === undefined || !(await answers(docker))) return undefined;
  await provideImage(docker, request.image, say);

  const name = `admin-service-${randomBytes(6).toString('hex')}`;
  const charge: Charge = { kind: 'container', name };
  const server = await startServerProcess(
    {
      command: docker,
      args: [
        ...['run', '--rm', '--interactive', '--name', name, '--publish', `127.0.0.1::${request.port}`],
        ...Object.keys(request.environment).flatMap((key) => ['--env', key]),
        ...[request.image, ...request.command],
      ],
      stopSignal: 'SIGTERM',
      environment: { ...process.env, ...request.environment },
      ...(request.input === undefined ? {} : { input: request.input }),
    },
    reaper,
  );
  // After the process in the reaper's list: the client goes first, then what it may have left.
  reaper.watch(charge);
  const stop = async () => {
    await run(docker, ['rm', '--force', '--volumes', name]).catch(() => undefined);
    await server.stop();
    reaper.forget(charge);
  };
  let url = '';
  try {
    await untilReady(server, async () => {
      const { stdout } = await run(docker, ['port', name, `${request.port}/tcp`]);
      url = request.urlAt(Number(stdout.trim().split('\n')[0]?.split(':').at(-1)));
      await request.isReady(url);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    pid: undefined,
    means: `Docker, ${request.image}`,
    ended: server.ended.then(server.lastOutput),
    stop,
  };
}

async function answers(docker: string): Promise<boolean> {
  try {
    await run(docker, ['version', '--format', '{{.Server.Version}}'], { timeout: answerWithinMs });
    return true;
  } catch {
    return false;
  }
}

async function provideImage(docker: string, image: string, say: LocalServerOptions['say']): Promise<void> {
  try {
    await run(docker, ['image', 'inspect', image], { timeout: answerWithinMs });
  } catch {
    say?.(`pulling the Docker image ${image}`);
    await run(docker, ['pull', '--quiet', image], { timeout: pullWithinMs });
  }
}

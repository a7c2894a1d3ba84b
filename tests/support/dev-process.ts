import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { compiledProgram } from './compiled-source.js';
import { until } from './until.js';

export interface DevProcess {
  /** Of the live map. */
  url: string;
  /** As Ctrl-C; resolves with the exit code. */
  interrupt(): Promise<number | null>;
}

const projectFolder = join(import.meta.dirname, '../..');
const READY_WITHIN_MS = 90_000;

/** `npm run dev` with servers and ports of its own. */
export async function startDev(args: string[], settings: Record<string, string> = {}): Promise<DevProcess> {
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    PORT: '0',
    MANAGEMENT_PORT: '0',
    PAGE_PORT: '0',
    ...settings,
  };
  for (const name of ['REDIS_URL', 'DATABASE_URL', 'NODE_ENV', 'LOG_LEVEL'])
    Reflect.deleteProperty(environment, name);
  const child = spawn(process.execPath, [compiledProgram('dev/main'), ...args], {
    cwd: projectFolder,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  const interrupt = () => {
    child.kill('SIGINT');
    return ended;
  };
  try {
    const ready = () => {
      if (child.exitCode !== null) return 'it ended';
      return /live map +(http\S+)/.exec(output)?.[1];
    };
    const url = await until('the live map is named', ready, READY_WITHIN_MS);
    if (!url.startsWith('http')) throw new Error(url);
    return { url, interrupt };
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(output, { cause: error });
  }
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './until.js';

const projectFolder = join(import.meta.dirname, '../..');

/** A command with everything that it starts, which is known by a TMPDIR of its own. Linux only. */
export class ProcessTree {
  readonly ended: Promise<number | null>;
  stdout = '';
  stderr = '';
  readonly #folder = mkdtempSync(join(tmpdir(), 'admin-service-tree-'));
  readonly #group: number;

  constructor(command: string, args: string[], settings: Record<string, string>) {
    const environment: NodeJS.ProcessEnv = { ...process.env, TMPDIR: this.#folder, ...settings };
    for (const name of ['REDIS_URL', 'DATABASE_URL', 'NODE_ENV', 'LOG_LEVEL'])
      Reflect.deleteProperty(environment, name);
    const child = spawn(command, args, {
      ...{ cwd: projectFolder, env: environment, detached: true },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#group = child.pid ?? 0;
    child.stdout.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    this.ended = once(child, 'close').then(([code]) => code as number | null);
  }

  /** To the command and all processes of its group, as a terminal does it. */
  signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.#group, signal);
    } catch {
      // All of them have ended.
    }
  }

  processes(): string[] {
    return readdirSync('/proc').filter((name) => {
      try {
        const environment = readFileSync(`/proc/${name}/environ`, 'utf8');
        return /^\d+$/.test(name) && environment.includes(`TMPDIR=${this.#folder}\0`);
      } catch {
        return false;
      }
    });
  }

  async expectNothingLeft(): Promise<void> {
    const folders = () => readdirSync(this.#folder).filter((name) => name.startsWith('admin-service-'));
    const isClean = () => this.processes().length === 0 && folders().length === 0;
    await until('all processes and folders are gone', isClean, 20_000);
  }

  remove(): void {
    this.signal('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

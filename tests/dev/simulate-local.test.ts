import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Report } from '../../src/dev/load/report.js';
import { until } from '../support/until.js';

const projectFolder = join(import.meta.dirname, '../..');
// Elsewhere a process does not show its environment, by which those of a run are found.
const onLinux = process.platform === 'linux' ? test : test.skip;
const buildAndRunMs = 120_000;

const folder = mkdtempSync(join(tmpdir(), 'admin-service-local-'));
const groups = new Set<number>();
afterAll(() => {
  for (const group of groups) signalGroup(group, 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** A run without --url, in a TMPDIR of its own, by which everything that it starts is known. */
function simulateLocally(command: string, args: string[]) {
  const environment: NodeJS.ProcessEnv = { ...process.env, TMPDIR: folder, UPDATE_INTERVAL_MS: '500' };
  for (const name of ['REDIS_URL', 'DATABASE_URL', 'NODE_ENV']) Reflect.deleteProperty(environment, name);
  const child = spawn(command, args, {
    cwd: projectFolder,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const group = child.pid ?? 0;
  groups.add(group);
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    output.stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  const ended = once(child, 'close').then(([code]) => {
    groups.delete(group);
    return code as number | null;
  });
  return { group, output, ended };
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // All of it has ended.
  }
}

function processesOfTheRun(): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return (
        /^\d+$/.test(name) && readFileSync(`/proc/${name}/environ`, 'utf8').includes(`TMPDIR=${folder}\0`)
      );
    } catch {
      return false;
    }
  });
}

async function expectNothingLeft(): Promise<void> {
  await until('all processes of the run are gone', () => processesOfTheRun().length === 0, 20_000);
  // The compiler and tsx keep caches there.
  const left = readdirSync(folder).filter((name) => name.startsWith('admin-service-'));
  expect(left).toEqual([]);
}

onLinux(
  'without --url it starts the whole stack, measures it, and leaves nothing behind',
  async () => {
    const options = ['--journeys', '10', '--minutes', '0.05', '--ramp-up', '0', '--json'];
    const { output, ended } = simulateLocally('npm', ['run', '--silent', 'simulate', '--', ...options]);
    const code = await ended;
    expect({ code, ...(code === 0 ? {} : output) }).toEqual({ code: 0 });
    const report = JSON.parse(output.stdout) as Report;
    expect(report.wrong).toEqual([]);
    expect(report.usage.map(({ name }) => name)).toEqual(['simulator', 'service', 'Redis']);
    for (const { cpuShare, residentMegabytes } of report.usage) {
      expect(cpuShare).toBeGreaterThan(0);
      expect(residentMegabytes).toBeGreaterThan(5);
    }
    await expectNothingLeft();
  },
  buildAndRunMs,
);

onLinux(
  'killed with everything around it, the reaper stops the stack',
  async () => {
    const args = [
      '--import',
      'tsx',
      'src/dev/simulate.ts',
      '--journeys',
      '5',
      '--minutes',
      '5',
      '--ramp-up',
      '0',
    ];
    const { group, output, ended } = simulateLocally(process.execPath, args);
    await until('it measures', () => output.stderr.includes('measuring ['), 60_000);
    expect(processesOfTheRun().length).toBeGreaterThan(3);
    signalGroup(group, 'SIGKILL');
    expect(await ended).toBeNull();
    await expectNothingLeft();
  },
  buildAndRunMs,
);

onLinux(
  'Ctrl-C before anything is measured stops what was started so far',
  async () => {
    const args = ['--import', 'tsx', 'src/dev/simulate.ts', '--journeys', '5'];
    const { group, output, ended } = simulateLocally(process.execPath, args);
    await until('it starts something', () => output.stderr.includes('starting Redis'), 60_000);
    signalGroup(group, 'SIGINT');
    expect(await ended).toBe(130);
    expect(output.stdout).toBe('');
    await expectNothingLeft();
  },
  buildAndRunMs,
);

import type { Report } from '../../src/dev/load/report.js';
import { compiledProgram } from '../support/compiled-source.js';
import { ProcessTree } from '../support/process-tree.js';
import { until } from '../support/until.js';

const onLinux = process.platform === 'linux' ? test : test.skip;
const patienceMs = 120_000;

let tree: ProcessTree | undefined;
afterEach(() => {
  tree?.remove();
});

const settings = { UPDATE_INTERVAL_MS: '500' };
const simulator = (...args: string[]) =>
  new ProcessTree(process.execPath, [compiledProgram('dev/simulate'), ...args], settings);

onLinux(
  'without --url it starts the whole stack, measures it, and leaves nothing behind',
  async () => {
    tree = simulator('--journeys', '10', '--minutes', '0.05', '--ramp-up', '0', '--json');
    const code = await tree.ended;
    expect({ code, ...(code === 0 ? {} : { stderr: tree.stderr }) }).toEqual({ code: 0 });
    const report = JSON.parse(tree.stdout) as Report;
    expect(report.faults).toEqual([]);
    expect(report.usage.map(({ name }) => name)).toEqual(['simulator', 'service', 'Redis']);
    for (const { cpuShare, residentMegabytes } of report.usage) {
      expect(cpuShare).toBeGreaterThan(0);
      expect(residentMegabytes).toBeGreaterThan(5);
    }
    await tree.expectNothingLeft();
  },
  patienceMs,
);

onLinux(
  'after a SIGKILL nothing of the stack is left',
  async () => {
    const killed = simulator('--journeys', '5', '--minutes', '5', '--ramp-up', '0');
    tree = killed;
    await until('it measures', () => killed.stderr.includes('measuring'), 60_000);
    expect(killed.processes().length).toBeGreaterThan(3);
    killed.signal('SIGKILL');
    expect(await killed.ended).toBeNull();
    await killed.expectNothingLeft();
  },
  patienceMs,
);

onLinux(
  'Ctrl-C before anything is measured stops what was started so far',
  async () => {
    const stopped = simulator('--journeys', '5');
    tree = stopped;
    await until('it has started something', () => stopped.stderr.includes('starting Redis'), 60_000);
    stopped.signal('SIGINT');
    expect(await stopped.ended).toBe(130);
    expect(stopped.stdout).toBe('');
    await stopped.expectNothingLeft();
  },
  patienceMs,
);

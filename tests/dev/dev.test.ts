import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { compiledProgram } from '../support/compiled-source.js';
import { ProcessTree } from '../support/process-tree.js';
import { until } from '../support/until.js';

const onLinux = process.platform === 'linux' ? test : test.skip;
const patienceMs = 90_000;

let tree: ProcessTree | undefined;
afterEach(() => {
  tree?.remove();
});

function dev(args: string[], settings: Record<string, string> = {}): ProcessTree {
  const anyPorts = { PORT: '0', MANAGEMENT_PORT: '0', PAGE_PORT: '0' };
  tree = new ProcessTree(process.execPath, [compiledProgram('dev/main'), ...args], {
    ...anyPorts,
    ...settings,
  });
  return tree;
}

interface Answer {
  success: boolean;
  data: Record<string, unknown>;
}

/** Runs a printed curl line as the shell would, with the printed tokens. */
async function call(line: string, tokens: Record<string, string>): Promise<Answer> {
  const [, name = ''] = /Bearer \$(\w+)/.exec(line) ?? [];
  const [url = ''] = /http:\S+?(?='?$)/.exec(line) ?? [];
  const [, body] = /-d '([^']+)'/.exec(line) ?? [];
  const response = await fetch(url, {
    method: body !== undefined || line.includes('-X POST') ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${tokens[name]}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body }),
  });
  return (await response.json()) as Answer;
}

onLinux(
  'npm run dev serves, prints events and calls that work in their order, and Ctrl-C leaves nothing behind',
  async () => {
    const run = dev(['--journeys', '2']);
    await until('a journey has started', () => run.stdout.includes('TrainerJourneyStarted'), patienceMs);
    const tokens = Object.fromEntries(
      [...run.stdout.matchAll(/^([A-Z]+)=(\S+)$/gm)].map(([, name, token]) => [String(name), String(token)]),
    );
    const [start = '', update = '', live = '', arrived = '', stop = ''] =
      run.stdout.match(/^curl .*$/gm) ?? [];
    for (const line of [start, update]) expect((await call(line, tokens)).success).toBe(true);
    expect((await call(live, tokens)).data).toMatchObject({ isActive: true, location: { accuracy: 8 } });
    expect((await call(arrived, tokens)).data['arrivedAt']).toEqual(expect.any(String));
    for (const line of [start, stop]) expect((await call(line, tokens)).success).toBe(true);
    await until('the cancellation is printed', () => /TrainerJourneyEnded .*cancelled/.test(run.stdout));
    for (const [, address = ''] of run.stdout.matchAll(/(?:metrics|API page|events) +(http:\S+)/g)) {
      expect((await fetch(address)).status).toBe(200);
    }
    run.signal('SIGINT');
    expect(await run.ended).toBe(0);
    await run.expectNothingLeft();
  },
  patienceMs * 2,
);

onLinux(
  'a port that is set and in use is an error, and nothing is left behind',
  async () => {
    const other = createServer().listen(0);
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const run = dev(['--no-simulate'], { PAGE_PORT: String(port) });
    expect(await run.ended).toBe(1);
    expect(run.stdout).toContain(`PAGE_PORT=${port} is in use.`);
    await run.expectNothingLeft();
    other.close();
  },
  patienceMs,
);

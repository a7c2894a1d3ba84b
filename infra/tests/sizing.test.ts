import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const infra = join(import.meta.dirname, '..');

test('the operations page has the tables that the formula gives', () => {
  const { stdout, status } = spawnSync(process.execPath, ['--import', 'tsx', 'sizing.ts'], {
    cwd: infra,
    encoding: 'utf8',
  });
  expect(status).toBe(0);
  const page = readFileSync(join(infra, 'README.md'), 'utf8');
  for (const table of stdout.trim().split('\n\n')) expect(page).toContain(table);
});

test('the formula has the costs that the service was measured to have, within a fifth', () => {
  const service = readFileSync(join(infra, '../README.md'), 'utf8');
  const [, ofService = '', ofRedis = ''] =
    /10,000 journeys with polling students take (\d+) % of a core, and (\d+) % of one for Redis/.exec(
      service,
    ) ?? [];
  const sizing = readFileSync(join(infra, 'sizing.ts'), 'utf8');
  const constant = (name: string) => Number(new RegExp(`${name}: ([\\d_]+)`).exec(sizing)?.[1]);
  // 4,000 requests a second: a hundredth of a core is so many microseconds of each.
  const micros = (percent: string) => (Number(percent) * 1e4) / 4_000;
  const pairs = [
    [micros(ofService), constant('requestServiceMicros')],
    [micros(ofRedis), constant('requestRedisMicros')],
  ];
  for (const [cost = NaN, used = NaN] of pairs) expect(Math.abs(cost / used - 1)).toBeLessThan(0.2);
});

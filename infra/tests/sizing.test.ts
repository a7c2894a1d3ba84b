import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const infra = join(import.meta.dirname, '..');

test('the README contains the tables that sizing.ts prints', () => {
  const { stdout, status } = spawnSync(process.execPath, ['--import', 'tsx', 'sizing/main.ts'], {
    cwd: infra,
    encoding: 'utf8',
  });
  expect(status).toBe(0);
  const page = readFileSync(join(infra, 'README.md'), 'utf8');
  for (const table of stdout.trim().split('\n\n')) expect(page).toContain(table);
});

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const read = (path: string) => readFileSync(path, 'utf8');
const lock = JSON.parse(read('package-lock.json')) as {
  packages: Record<string, { dev?: boolean; devOptional?: boolean; hasInstallScript?: boolean }>;
};

test('the image starts node with the flags of npm start', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: { start: string } };
  const commands = read('Dockerfile').match(/^CMD .*$/gm) ?? [];
  expect(JSON.parse(commands.at(-1)?.replace('CMD ', '') ?? '[]')).toEqual(scripts.start.split(' '));
});

test('no package that is shipped has an install script', () => {
  const shipped = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && dev !== true);
  expect(shipped.length).toBeGreaterThan(50);
  expect(shipped.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)).toEqual([]);
});

const settings = ['src/config.ts', 'src/config/database.ts', 'src/config/redis.ts']
  .map(read)
  .join('')
  .match(/^ {2}[A-Z_]+(?=:)/gm)
  ?.map((name) => name.trim());

test('the compose file gives the service only known settings', () => {
  const known = new Set(settings);
  const [, serviceSection = ''] = /^ {2}service:\n([^]*?)^ {4}ports:/m.exec(read('docker-compose.yml')) ?? [];
  const names = serviceSection.match(/^ {6}[A-Z_]+(?=:)/gm)?.map((name) => name.trim()) ?? [];
  expect(names).toContain('REDIS_URL');
  // The AWS SDK reads its credentials from the environment.
  expect(names.filter((name) => !known.has(name) && !name.startsWith('AWS_'))).toEqual([]);
});

test('the table of settings lists every setting and no other', () => {
  const [, table = ''] = /^## Settings\n([^]*?)^###/m.exec(read('infra/README.md')) ?? [];
  const listed = [...table.matchAll(/^\| (`[^|]+)\|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name),
  );
  expect(listed.sort()).toEqual(settings?.sort());
});

test.each(['README.md', 'src/README.md', 'src/http/README.md', 'tests/README.md', 'infra/README.md'])(
  'every relative link of %s leads to a file',
  (page) => {
    const links = [...read(page).matchAll(/\]\(([^)#:]+)(?:#[\w-]+)?\)/g)].map(([, path = '']) => path);
    expect(links.filter((path) => !existsSync(join(dirname(page), path)))).toEqual([]);
  },
);

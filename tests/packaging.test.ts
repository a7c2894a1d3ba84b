import { readFileSync } from 'node:fs';

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

test('the compose file gives the service no setting that it does not know', () => {
  const known = new Set(
    (read('src/config.ts') + read('src/config/redis.ts'))
      .match(/^ {2}[A-Z_]+(?=:)/gm)
      ?.map((name) => name.trim()),
  );
  const [, ofTheService = ''] = /^ {2}service:\n([^]*?)^ {4}ports:/m.exec(read('docker-compose.yml')) ?? [];
  const names = ofTheService.match(/^ {6}[A-Z_]+(?=:)/gm)?.map((name) => name.trim()) ?? [];
  expect(names).toContain('REDIS_URL');
  // The AWS SDK reads its credentials by itself.
  expect(names.filter((name) => !known.has(name) && !name.startsWith('AWS_'))).toEqual([]);
});

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { docker } from '../support/container.js';
import { imageUnderTest } from '../support/service-process.js';

const image = imageUnderTest();
const [{ Size: bytes, Config: config }] = inspect(image);
const project = JSON.parse(readFileSync('package.json', 'utf8')) as {
  version: string;
  scripts: { start: string };
};

interface Inspected {
  Size: number;
  Config: { User: string; Cmd: string[]; Labels: Record<string, string> };
}

function inspect(name: string): [Inspected] {
  return JSON.parse(docker('image', 'inspect', name)) as [Inspected];
}

/** What a program of the image says, in a container of its own as the image's user. */
function outputOf(program: string, ...args: string[]): string[] {
  return docker('run', '--rm', '--entrypoint', program, image, ...args)
    .split('\n')
    .filter(Boolean);
}

const label = (name: string) => config.Labels[`org.opencontainers.image.${name}`];

test('the image adds less than 200 MB to its base', () => {
  const [base] = inspect(label('base.name') ?? '');
  const megabytes = (bytes - base.Size) / 1e6;
  console.log(`the image adds ${megabytes.toFixed(1)} MB to its base`);
  expect(megabytes).toBeGreaterThan(0);
  expect(megabytes).toBeLessThan(200);
});

test('the labels say what it is, of which version, commit and time', () => {
  expect(label('title')).toBe('admin-service');
  expect(label('version')).toBe(project.version);
  expect(label('revision')).toMatch(/^[0-9a-f]{40}(-changed)?$/);
  expect(new Date(label('created') ?? '').toISOString()).toBe(label('created'));
});

test('it starts node as npm start does, without npm', () => {
  expect(config.Cmd).toEqual(project.scripts.start.split(' '));
});

test('it runs as a user who is not root, and who can write nothing of it', () => {
  expect(config.User).toMatch(/^[1-9]\d*$/);
  expect(outputOf('id', '-u')).toEqual([config.User]);
  expect(outputOf('find', '/app', '-writable', '-not', '-type', 'l')).toEqual([]);
});

test('its code is that of the service alone', () => {
  const files = outputOf(
    'find',
    '/app',
    '-path',
    '/app/node_modules',
    '-prune',
    '-o',
    '-type',
    'f',
    '-print',
  );
  expect(files).toContain('/app/dist/main.js');
  expect(files).toContain('/app/dist/store/scripts/record_positions.lua');
  const ofTheService = /^\/app\/(package\.json|dist\/(?!dev\/|client\/\w+\/).+\.(js|js\.map|lua))$/;
  expect(files.filter((file) => !ofTheService.test(file))).toEqual([]);
});

test('every file is as old as any other, whenever it was built, so that the same source gives the same layers', () => {
  const times = new Set(outputOf('find', '/app', '-type', 'f', '-printf', '%T@\\n'));
  expect([...times].map(Number)).toEqual([0]);
});

describe('its packages', () => {
  const packages = shippedPackages();

  test('are those of npm run sbom', () => {
    const sbom = execFileSync('npm', ['run', '--silent', 'sbom'], { encoding: 'utf8' });
    const { bomFormat, components } = JSON.parse(sbom) as {
      bomFormat: string;
      components: { name: string; version: string }[];
    };
    const idsOf = (all: { name: string; version: string }[]) =>
      [...new Set(all.map(({ name, version }) => `${name}@${version}`))].sort();
    expect(bomFormat).toBe('CycloneDX');
    expect(idsOf(components)).toEqual(idsOf(packages));
  });

  test('have no install script', () => {
    const withScript = packages.filter(({ scripts = {} }) =>
      ['preinstall', 'install', 'postinstall'].some((name) => name in scripts),
    );
    expect(withScript).toEqual([]);
  });
});

function shippedPackages(): { name: string; version: string; scripts?: Record<string, string> }[] {
  const found = outputOf('find', '/app/node_modules', '-name', 'package.json');
  // Not the package.json files inside a package, which only say how its folders are to be read.
  const roots = found.filter((path) => /\/node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(path));
  const program = `console.log(JSON.stringify(process.argv.slice(1).map((path) => require(path))))`;
  const [text = '[]'] = outputOf('node', '-e', program, ...roots);
  return JSON.parse(text) as ReturnType<typeof shippedPackages>;
}

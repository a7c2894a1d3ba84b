import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const projectFolder = join(import.meta.dirname, '../..');
const compiler = join(projectFolder, 'node_modules/typescript/bin/tsc');
const NAMES = ['JourneyApi', 'JourneyApiError', 'StudentWatcher', 'TrainerTracker'];

/** An empty project of an app in which the packed SDK is installed. */
let app: string;
let installed: string;

beforeAll(async () => {
  app = await mkdtemp(join(tmpdir(), 'sdk-app-'));
  installed = join(app, 'node_modules/@admin-service/client');
  const pack = ['run', 'client:pack', '--silent', '--', '--json'];
  const { stdout } = await run('npm', pack, { cwd: projectFolder });
  const [packed] = JSON.parse(stdout) as [{ filename: string }];
  await writeFile(join(app, 'package.json'), '{ "name": "app", "private": true }');
  const tarball = join(projectFolder, 'dist', packed.filename);
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], { cwd: app });
}, 180_000);

afterAll(async () => {
  await rm(app, { recursive: true });
});

test('the package installs nothing but itself, and nothing of the service', async () => {
  expect((await readdir(join(app, 'node_modules'))).filter((name) => !name.startsWith('.'))).toEqual([
    '@admin-service',
  ]);
  const files = (await readdir(installed, { recursive: true })).filter((name) => /\.\w+$/.test(name));
  const expected =
    /^((esm|cjs)\/([\w-]+\/)?[\w-]+\.(js|d\.ts|js\.map)|(\w+\/)?package\.json|README\.md|CHANGELOG\.md)$/;
  expect(files.filter((name) => !expected.test(name))).toEqual([]);
  expect(await readdir(installed)).toEqual(expect.arrayContaining(['CHANGELOG.md', 'LICENSE', 'README.md']));
});

test('the changelog begins with the version of the package', async () => {
  const { version } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as {
    version: string;
  };
  const changelog = await readFile(join(installed, 'CHANGELOG.md'), 'utf8');
  expect(/^## (.+)$/m.exec(changelog)?.[1]).toBe(version);
});

test('every source map contains its sources', async () => {
  for (const folder of ['esm', 'cjs']) {
    const names = await readdir(join(installed, folder));
    for (const name of names.filter((each) => each.endsWith('.js'))) {
      const code = await readFile(join(installed, folder, name), 'utf8');
      expect(code).toContain(`//# sourceMappingURL=${name}.map`);
      const map = JSON.parse(await readFile(join(installed, folder, `${name}.map`), 'utf8')) as {
        sources: string[];
        sourcesContent?: string[];
      };
      expect([map.sources.length, map.sourcesContent?.every((text) => text !== '')]).toEqual([1, true]);
    }
  }
});

const PROBE = `
import { JourneyApi, JourneyApiError, StudentWatcher, TrainerTracker, type LiveJourney, type Location, type PushOutcome, type Watched } from '@admin-service/client';
const api = new JourneyApi({ baseUrl: 'https://api.example.com', getToken: () => 'token' });
const tracker = new TrainerTracker({ api, sessionId: '3f2b8c1e-9d4a-4f6b-8a57-0c1d2e3f4a5b' });
export const push = (position: GeolocationPosition): Promise<PushOutcome> => tracker.push([position]);
export const show = ({ position, etaSeconds }: Watched): [Location | null, number | null] => [position, etaSeconds];
export const wrong = (journey: LiveJourney, location: Location, error: JourneyApiError) => {
  // @ts-expect-error a position has coordinates
  void tracker.push({ latitude: 1 });
  // @ts-expect-error degrees are numbers
  const degrees: string = location.latitude;
  // @ts-expect-error a journey may have no estimate
  const eta: number = journey.etaSeconds;
  // @ts-expect-error there is no such reason
  const isLost = journey.endedReason === 'lost';
  // @ts-expect-error there is no such code
  const isNoCode = error.code === 'NO_CODE';
  // @ts-expect-error there is no such event
  tracker.on('arrived', () => undefined);
  return [degrees, eta, isLost, isNoCode, new StudentWatcher({ api, sessionId: '' }).watched];
};
`;

test.each([
  ['bundler', 'probe.ts'],
  ['node16', 'probe.mts'],
  ['node16', 'probe.cts'],
])(
  'its types are complete with moduleResolution %s in %s',
  async (moduleResolution, file) => {
    const folder = await mkdtemp(join(app, 'types-'));
    await writeFile(join(folder, file), PROBE);
    for (const skipLibCheck of [true, false]) {
      const compilerOptions = {
        ...{ module: moduleResolution === 'bundler' ? 'ESNext' : 'Node16', moduleResolution },
        ...{ target: 'ES2022', lib: ['ES2022', 'DOM'], types: [], strict: true, skipLibCheck, noEmit: true },
      };
      await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [file] }));
      const { stdout } = await run(process.execPath, [compiler, '-p', folder]).catch(
        (error: unknown) => error as { stdout: string },
      );
      expect(stdout).toBe('');
    }
  },
  120_000,
);

const print = `console.log(${JSON.stringify(NAMES)}.map((name) => typeof client[name]).join());`;
const loads = {
  import: `import * as client from '@admin-service/client';\n${print}`,
  require: `const client = require('@admin-service/client');\n${print}`,
};
const ALL = NAMES.map(() => 'function').join();

test.each(['import', 'require'] as const)('Node loads it with %s', async (how) => {
  const type = how === 'import' ? '--input-type=module' : '--input-type=commonjs';
  const { stdout } = await run(process.execPath, [type, '-e', loads[how]], { cwd: app });
  expect(stdout.trim()).toBe(ALL);
});

test.each([
  ["a trainer's app", 'JourneyApi, TrainerTracker', 6 * 1_024],
  ["a student's app", 'JourneyApi, StudentWatcher', 4.5 * 1_024],
  ['an app for both', NAMES.join(), 7.5 * 1_024],
])('bundled by esbuild for %s it is small, minified and gzipped', async (_app, names, mostBytes) => {
  const result = await build({
    stdin: { contents: `export { ${names} } from '@admin-service/client';`, resolveDir: app },
    ...{ bundle: true, minify: true, write: false, format: 'esm', platform: 'neutral', target: 'es2022' },
  });
  const bytes = gzipSync(result.outputFiles[0]?.contents ?? '', { level: 9 }).length;
  process.stderr.write(`\n@admin-service/client, ${names}: ${bytes} bytes\n`);
  expect(bytes).toBeLessThanOrEqual(mostBytes);
});

test.each([true, false])(
  'Metro bundles it, with package exports: %s',
  async (hasExports) => {
    await writeFile(join(app, 'entry.js'), loads.import);
    // Metro's own Babel preset belongs to React Native; without it Metro transforms imports itself.
    const script = `
    const Metro = require(${JSON.stringify(join(projectFolder, 'node_modules/metro'))});
    const runtime = ${JSON.stringify(join(projectFolder, 'node_modules/metro-runtime'))};
    const transform = { experimentalImportSupport: true, inlineRequires: false };
    const config = {
      watchFolders: [runtime],
      projectRoot: ${JSON.stringify(app)}, reporter: { update() {} }, maxWorkers: 1, cacheStores: [],
      resolver: {
        unstable_enablePackageExports: ${hasExports}, extraNodeModules: { 'metro-runtime': runtime },
      },
      transformer: { getTransformOptions: async () => ({ transform }) },
    };
    Metro.loadConfig({ cwd: ${JSON.stringify(app)} }, config)
      .then((loaded) => Metro.runBuild(loaded, { entry: 'entry.js', dev: false, minify: false }))
      .then(({ code }) => { (0, eval)(code); process.exit(0); });`;
    const { stdout } = await run(process.execPath, ['-e', script], { cwd: app });
    expect(stdout.trim()).toBe(ALL);
  },
  60_000,
);

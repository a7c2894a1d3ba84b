import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const run = promisify(execFile);
const projectFolder = join(import.meta.dirname, '../..');
const inProject = (name: string) => JSON.stringify(join(projectFolder, 'node_modules', name));
const CORE = ['JourneyApi', 'JourneyApiError', 'StudentWatcher', 'TrainerTracker'];
const ENTRIES = {
  '@admin-service/client': CORE,
  '@admin-service/client/expo': ['createJourneyTracking', 'LocationProblemError'],
  '@admin-service/client/react': ['useLiveJourney', 'useTrainerTracker'],
  '@admin-service/client/testing': ['FakeService', 'refusal', 'VirtualClock'],
};

/** An empty project of an app in which the packed SDK is installed. */
let app: string;
let installed: string;
let packages: string[];
/** The slow tools, side by side; each test awaits its own. */
let compiled: Record<string, Promise<string>>;
let bundled: Promise<string>;

beforeAll(async () => {
  app = await mkdtemp(join(tmpdir(), 'sdk-app-'));
  installed = join(app, 'node_modules/@admin-service/client');
  const pack = ['run', 'client:pack', '--silent', '--', '--json'];
  const { stdout } = await run('npm', pack, { cwd: projectFolder });
  const [packed] = JSON.parse(stdout) as [{ filename: string }];
  await writeFile(join(app, 'package.json'), '{ "name": "app", "private": true }');
  const tarball = join(projectFolder, 'dist', packed.filename);
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], { cwd: app });
  packages = (await readdir(join(app, 'node_modules'))).filter((name) => !name.startsWith('.'));
  await cp(join(projectFolder, 'node_modules/react'), join(app, 'node_modules/react'), { recursive: true });
  compiled = Object.fromEntries(RESOLUTIONS.map(([name, ...files]) => [name, compile(name, files)]));
  bundled = bundleWithMetro();
}, 180_000);

afterAll(async () => {
  await Promise.allSettled([bundled, ...Object.values(compiled)]);
  await rm(app, { recursive: true });
});

test('the package installs nothing but itself, and nothing of the service', async () => {
  expect(packages).toEqual(['@admin-service']);
  const files = (await readdir(installed, { recursive: true })).filter((name) => /\.\w+$/.test(name));
  const expected =
    /^((esm|cjs)\/([\w-]+\/)?[\w-]+\.(js|d\.ts|js\.map)|(\w+\/)?package\.json|(README|MIGRATION|CHANGELOG)\.md)$/;
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
    const names = await readdir(join(installed, folder), { recursive: true });
    for (const name of names.filter((each) => each.endsWith('.js'))) {
      const code = await readFile(join(installed, folder, name), 'utf8');
      expect(code).toContain(`//# sourceMappingURL=${basename(name)}.map`);
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
import { createJourneyTracking, type JourneyTrackingOptions } from '@admin-service/client/expo';
import { useLiveJourney, useTrainerTracker } from '@admin-service/client/react';
import { FakeService, refusal } from '@admin-service/client/testing';
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
  // @ts-expect-error the modules are missing
  createJourneyTracking({ api });
  // @ts-expect-error storage is asynchronous
  const storage: JourneyTrackingOptions['storage'] = localStorage;
  // @ts-expect-error a hook takes a tracker
  const { lastError } = useTrainerTracker('3f2b8c1e');
  // @ts-expect-error there is no such state
  const isLostToo = useLiveJourney(api, null).state === 'lost';
  const service = new FakeService();
  // @ts-expect-error there is no such code
  service.script = ({ kind }) => (kind === 'start' ? refusal(400, 'NO_CODE') : undefined);
  // @ts-expect-error a place has coordinates
  service.moveTo('', { latitude: 1 });
  return [lastError, isLostToo, degrees, eta, isLost, isNoCode, new StudentWatcher({ api, sessionId: '' }).watched];
};
`;

const RESOLUTIONS: [string, ...string[]][] = [
  ['bundler', 'probe.ts'],
  ['node16', 'probe.mts', 'probe.cts'],
];

/** What the compiler says, with skipLibCheck on and off. */
async function compile(moduleResolution: string, files: string[]): Promise<string> {
  const folder = await mkdtemp(join(app, 'types-'));
  const compilerOptions = {
    ...{ module: moduleResolution === 'bundler' ? 'ESNext' : 'Node16', moduleResolution },
    ...{ target: 'ES2022', lib: ['ES2022', 'DOM'], types: [], strict: true, noEmit: true },
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  for (const file of files) await writeFile(join(folder, file), PROBE);
  const compiler = join(projectFolder, 'node_modules/typescript/bin/tsc');
  let said = '';
  for (const skipLibCheck of ['true', 'false']) {
    const args = [compiler, '-p', folder, '--skipLibCheck', skipLibCheck];
    said += (await run(process.execPath, args).catch((error: unknown) => error as { stdout: string })).stdout;
  }
  return said;
}

test.each(RESOLUTIONS)(
  'its types are complete with moduleResolution %s, and find mistakes',
  async (name) => {
    expect(await compiled[name]).toBe('');
  },
  120_000,
);

/** Prints whether each entry has its names. */
function loading(how: 'import' | 'require'): string {
  return Object.entries(ENTRIES)
    .map(([entry, names], index) => {
      const module = `entry${index}`;
      const load =
        how === 'import'
          ? `import * as ${module} from '${entry}';`
          : `const ${module} = require('${entry}');`;
      return `${load} console.log(${JSON.stringify(names)}.map((name) => typeof ${module}[name]).join());`;
    })
    .join('\n');
}
const ALL = Object.values(ENTRIES)
  .map((names) => names.map(() => 'function').join())
  .join('\n');

test.each(['import', 'require'] as const)('Node loads every entry with %s', async (how) => {
  const type = how === 'import' ? '--input-type=module' : '--input-type=commonjs';
  const { stdout } = await run(process.execPath, [type, '-e', loading(how)], { cwd: app });
  expect(stdout.trim()).toBe(ALL);
});

test.each([
  ["a trainer's app", 'JourneyApi, TrainerTracker', 6 * 1_024],
  ["a student's app", 'JourneyApi, StudentWatcher', 4.5 * 1_024],
  ['an app for both', CORE.join(), 7.25 * 1_024],
])('bundled by esbuild for %s it is small, minified and gzipped', async (_app, names, mostBytes) => {
  const result = await build({
    stdin: { contents: `export { ${names} } from '@admin-service/client';`, resolveDir: app },
    ...{ bundle: true, minify: true, write: false, metafile: true },
    ...{ format: 'esm', platform: 'neutral', target: 'es2022' },
  });
  const others = Object.keys(result.metafile.inputs).filter(
    (path) => !/(client\/esm\/[\w-]+\.js|<stdin>)$/.test(path),
  );
  expect(others).toEqual([]);
  const bytes = gzipSync(result.outputFiles[0]?.contents ?? '', { level: 9 }).length;
  process.stderr.write(`\n@admin-service/client, ${names}: ${bytes} bytes\n`);
  expect(bytes).toBeLessThanOrEqual(mostBytes);
});

test('hooks and core use the same classes', async () => {
  const result = await build({
    stdin: {
      contents: `export * from '@admin-service/client'; export * from '@admin-service/client/react';`,
      resolveDir: app,
    },
    ...{ bundle: true, write: false, format: 'esm', platform: 'neutral', external: ['react'] },
  });
  expect(result.outputFiles[0]?.text.match(/class \w* ?extends Emitter/g)).toHaveLength(2);
});

/** What the bundles print, with package exports and without. */
async function bundleWithMetro(): Promise<string> {
  await writeFile(join(app, 'entry.js'), loading('import'));
  // Metro's own Babel preset belongs to React Native; without it Metro transforms imports itself.
  const script = `
    const Metro = require(${inProject('metro')});
    const transform = { experimentalImportSupport: true, inlineRequires: false };
    const config = (unstable_enablePackageExports) => ({
      watchFolders: [${inProject('metro-runtime')}],
      projectRoot: ${JSON.stringify(app)}, reporter: { update() {} }, maxWorkers: 1, cacheStores: [],
      resolver: {
        unstable_enablePackageExports, extraNodeModules: { 'metro-runtime': ${inProject('metro-runtime')} },
      },
      transformer: { getTransformOptions: async () => ({ transform }) },
    });
    (async () => {
      for (const hasExports of [true, false]) {
        const loaded = await Metro.loadConfig({ cwd: ${JSON.stringify(app)} }, config(hasExports));
        const { code } = await Metro.runBuild(loaded, { entry: 'entry.js', dev: false, minify: false });
        (0, eval)(code);
      }
      process.exit(0);
    })();`;
  return (await run(process.execPath, ['-e', script], { cwd: app })).stdout.trim();
}

test('Metro bundles every entry, with package exports and without', async () => {
  expect(await bundled).toBe(`${ALL}\n${ALL}`);
}, 60_000);

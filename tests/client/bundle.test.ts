import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const run = promisify(execFile);
const projectFolder = join(import.meta.dirname, '../..');
const MOST_BYTES = 5_000;

test('the SDK is at most 5 KB, minified and gzipped, and has no dependency', async () => {
  const result = await build({
    absWorkingDir: projectFolder,
    entryPoints: ['src/client/index.ts'],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    write: false,
    metafile: true,
  });
  const bytes = gzipSync(result.outputFiles[0]?.contents ?? '', { level: 9 }).length;
  process.stderr.write(`\nadmin-service/client: ${bytes} bytes minified and gzipped\n`);
  expect(bytes).toBeLessThanOrEqual(MOST_BYTES);
  const foreign = Object.keys(result.metafile.inputs).filter((path) => !path.startsWith('src/client/'));
  expect(foreign).toEqual([]);
});

test('the built SDK can be imported by name, as an ES module with types that do not need Node', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sdk-'));
  try {
    const compile = async (args: string[]) => {
      const compiler = join(projectFolder, 'node_modules/typescript/bin/tsc');
      await run(process.execPath, [compiler, ...args]).catch((error: unknown) => {
        throw new Error((error as { stdout: string }).stdout);
      });
    };
    const outDir = join(folder, 'node_modules/admin-service/dist');
    const project = join(projectFolder, 'src/client');
    await compile(['-p', project, '--outDir', outDir, '--emitDeclarationOnly', 'false']);
    const manifest = await readFile(join(projectFolder, 'package.json'), 'utf8');
    await writeFile(join(folder, 'node_modules/admin-service/package.json'), manifest);
    await symlink(join(projectFolder, 'node_modules/zod'), join(folder, 'node_modules/zod'));
    const app = `import { JourneyApi, StudentWatcher, TrainerTracker, type Location, type Watched } from 'admin-service/client';
      const api = new JourneyApi({ baseUrl: 'https://api.example.com', getToken: () => 'token' });
      const tracker = new TrainerTracker({ api, sessionId: '3f2b8c1e-9d4a-4f6b-8a57-0c1d2e3f4a5b' });
      export const push = (position: GeolocationPosition) => { tracker.push(position); };
      export const show = ({ position }: Watched): Location | null => position;
      // @ts-expect-error a position has coordinates
      export const wrong = () => { tracker.push({ latitude: 1 }); };
      // @ts-expect-error the types of the contract are really there
      export const degrees = (location: Location): string => location.latitude;
      export const names = [JourneyApi.name, StudentWatcher.name, TrainerTracker.name];`;
    await writeFile(join(folder, 'app.mts'), app);
    const compilerOptions = {
      ...{ module: 'NodeNext', target: 'ES2022', lib: ['ES2022', 'DOM'], types: [] },
      ...{ strict: true, skipLibCheck: true },
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['app.mts'] }));
    await compile(['-p', folder]);
    const script = `console.log((await import('./app.mjs')).names.length)`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: folder });
    expect(stdout.trim()).toBe('3');
  } finally {
    await rm(folder, { recursive: true });
  }
}, 180_000);

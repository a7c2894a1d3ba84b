import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const projectFolder = join(import.meta.dirname, '../..');
/** What apps have of their own, and the packages that are not installed here. */
export const APP_FOLDER = join(import.meta.dirname, 'migration');

export const pageOf = (name: string) => readFileSync(join(projectFolder, 'src/client', name), 'utf8');

/** The TypeScript of a page by file name; a block may name its file in a comment at its top. */
export function samplesOf(page: string): Record<string, string> {
  const blocks = [...pageOf(page).matchAll(/^```(tsx?)\n([\s\S]*?)^```/gm)];
  return Object.fromEntries(
    blocks.map(([, ending = 'ts', code = ''], index) => {
      const name = /^\/\/ (\S+\.tsx?)\n/.exec(code)?.[1];
      return [name ?? `block-${index}.${ending}`, code];
    }),
  );
}

/** Writes the samples into a new folder, beside what the app has of its own. */
export async function writeSamples(samples: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sdk-page-'));
  await cp(APP_FOLDER, folder, { recursive: true });
  for (const [name, code] of Object.entries(samples)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), code);
  }
  return folder;
}

/** The compiler's complaints about all that is in the folder. */
export async function compile(folder: string, paths: Record<string, string[]> = {}): Promise<string> {
  const types = (name: string) => [join(projectFolder, 'node_modules/@types/react', name)];
  const compilerOptions = {
    ...{ module: 'ESNext', moduleResolution: 'bundler', target: 'ES2022', lib: ['ES2022', 'DOM'] },
    ...{ strict: true, skipLibCheck: true, noEmit: true, types: [], jsx: 'react-jsx' },
    paths: {
      '@admin-service/client': [join(projectFolder, 'src/client/index.ts')],
      '@admin-service/client/*': [join(projectFolder, 'src/client/*/index.ts')],
      ...{ react: types('index.d.ts'), 'react/jsx-runtime': types('jsx-runtime.d.ts') },
      ...paths,
    },
  };
  const include = ['**/*.ts', '**/*.tsx'];
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include }));
  const compiler = join(projectFolder, 'node_modules/typescript/bin/tsc');
  const { stdout } = await run(process.execPath, [compiler, '-p', folder]).catch(
    (error: unknown) => error as { stdout: string },
  );
  return stdout;
}

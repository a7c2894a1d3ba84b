import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build, type Loader } from 'esbuild';

const projectFolder = join(import.meta.dirname, '../..');
const folder = join(projectFolder, 'dist');
const copied: Record<string, Loader> = { '.css': 'copy', '.html': 'copy', '.lua': 'copy' };

/**
 * Compiles src to dist, without checking types, for all processes that the tests start. With tsx each of them needs twice
 * the CPU time to start.
 */
export async function compileSource(): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: ['.ts', ...Object.keys(copied)].map((ending) => `src/**/*${ending}`),
    absWorkingDir: projectFolder,
    outbase: 'src',
    outdir: folder,
    loader: copied,
    assetNames: '[dir]/[name]',
    entryNames: '[dir]/[name]',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: 'inline',
    write: false,
  });
  for (const { path, contents } of outputFiles) writeIfChanged(path, contents);
}

/** The compiled file of a file of src, which is named without its extension. */
export function compiledProgram(name: string): string {
  return join(folder, `${name}.js`);
}

/** Processes of another run may read the file meanwhile. */
function writeIfChanged(path: string, contents: Uint8Array): void {
  try {
    if (readFileSync(path).equals(contents)) return;
  } catch {
    mkdirSync(dirname(path), { recursive: true });
  }
  const written = `${path}.${process.pid}`;
  writeFileSync(written, contents);
  renameSync(written, path);
}

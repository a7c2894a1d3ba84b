// Writes the package to dist/client-package.
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const source = import.meta.dirname;
const project = join(source, '../..');
const target = join(project, 'dist/client-package');

async function compile(config) {
  const args = [join(project, 'node_modules/typescript/bin/tsc'), '-p', join(source, config)];
  await run(process.execPath, args).catch(({ stdout }) => {
    console.error(stdout);
    process.exit(1);
  });
}

rmSync(target, { recursive: true, force: true });
await Promise.all(['tsconfig.json', 'tsconfig.cjs.json'].map(compile));
for (const file of ['package.json', 'README.md', 'MIGRATION.md', 'CHANGELOG.md', 'LICENSE']) {
  copyFileSync(join(source, file), join(target, file));
}
writeFileSync(join(target, 'cjs/package.json'), '{ "type": "commonjs" }');

// Metro before React Native 0.79 and TypeScript's older resolution do not know "exports" and look for a folder.
const { exports } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
for (const [entry, { import: esm, require: cjs }] of Object.entries(exports)) {
  if (entry === '.' || esm === undefined) continue;
  const folder = { main: `.${cjs.default}`, module: `.${esm.default}`, types: `.${cjs.types}` };
  mkdirSync(join(target, entry));
  writeFileSync(join(target, entry, 'package.json'), JSON.stringify(folder, null, 2));
}

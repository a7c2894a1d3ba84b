// Usage: node infra/run.mjs synth|diff|deploy [dev|prod|cluster] [CDK options], or node infra/run.mjs test.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const OWN_SETTINGS = 'stages.json';
const EXAMPLE = 'stages.example.json';

const [command, ...rest] = process.argv.slice(2);
if (!['synth', 'diff', 'deploy', 'test'].includes(command)) stop('node infra/run.mjs synth|diff|deploy|test');
const stage = rest[0] === undefined || rest[0].startsWith('-') ? undefined : rest.shift();
if (command === 'diff' || command === 'deploy') {
  if (stage === undefined) stop(`Name a stage: npm run infra:${command} -- dev`);
  if (!existsSync(join(folder, OWN_SETTINGS)))
    stop(`infra/${OWN_SETTINGS} is missing. Copy infra/${EXAMPLE} to it and fill in your values.`);
}

if (!isInstalled()) run('npm', ['ci']);
if (command === 'test') run('npm', ['test', ...(stage === undefined ? [] : ['--', stage]), ...rest]);
else cdk();

function cdk() {
  const settings = existsSync(join(folder, OWN_SETTINGS)) ? OWN_SETTINGS : EXAMPLE;
  if (settings === EXAMPLE)
    process.stderr.write(`infra/${OWN_SETTINGS} not found. Using ${EXAMPLE}, which cannot be deployed.\n`);
  const context = ['-c', `settings=${settings}`, ...(stage === undefined ? [] : ['-c', `stage=${stage}`])];
  const quiet = command === 'synth' ? ['--quiet'] : [];
  run(process.execPath, ['node_modules/aws-cdk/bin/cdk', command, ...quiet, ...context, ...rest]);
}

/** Compares the lockfile with the one npm writes into node_modules. */
function isInstalled() {
  const packagesOf = (path) => JSON.parse(readFileSync(join(folder, path), 'utf8')).packages;
  try {
    const installed = packagesOf('node_modules/.package-lock.json');
    return Object.entries(packagesOf('package-lock.json')).every(
      ([path, { version, optional }]) =>
        path === '' || optional === true || installed[path]?.version === version,
    );
  } catch {
    return false;
  }
}

function run(program, args) {
  const env = { ...process.env, CDK_DISABLE_VERSION_CHECK: '1', CDK_DISABLE_CLI_TELEMETRY: 'true' };
  const shell = process.platform === 'win32' && program === 'npm';
  const { status, error } = spawnSync(program, args, { cwd: folder, env, stdio: 'inherit', shell });
  if (error) stop(error.message);
  if (status !== 0) process.exit(status ?? 1);
}

function stop(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

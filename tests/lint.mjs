// Runs all static checks side by side and fails if one of them fails.
import { execa } from 'execa';

const checks = [
  'node tests/typed-lint.mjs',
  'prettier --check --cache --cache-strategy content .',
  'depcruise -c .dependency-cruiser.cjs src',
  'tsc -p src/client --noEmit',
];
const lanes = 2;

async function run(command) {
  const startedAt = performance.now();
  const [program, ...args] = command.split(' ');
  const { failed, all } = await execa(program, args, { preferLocal: true, reject: false, all: true });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${failed ? 'failed' : 'passed'}  ${command} (${seconds} s)`);
  if (failed) {
    console.log(all);
    process.exitCode = 1;
  }
}

const waiting = [...checks];
const lane = async () => {
  for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) await run(check);
};
await Promise.all(Array.from({ length: lanes }, lane));

import { parseArgs } from 'node:util';

export interface LongRunOptions {
  operations: number;
  concurrent: number;
  seed: number;
  path: string | undefined;
  parts: readonly Part[];
}

const parts = ['histories', 'concurrency'] as const;
export type Part = (typeof parts)[number];

export type CommandLine =
  { kind: 'run'; options: LongRunOptions } | { kind: 'help' } | { kind: 'wrong'; reason: string };

export const helpText = `npm run test:long -- [options]

Compares the real service, on a Redis and a Postgres of its own, with a model of the contract: in random
histories call by call, and with clients at once by whether any order of the calls explains what they
heard. The exit code is 1 where something differs.

  --operations N    calls in random histories (default 100000)
  --concurrent N    calls by clients at once, against two processes (default 10000)
  --only PART       ${parts.join(' or ')}
  --seed N          as it was printed (default: another in each run)
  --path TEXT       of one history, as it was printed, with its seed
  --help            this text`;

export function readCommandLine(args: string[]): CommandLine {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: {
        operations: { type: 'string', default: '100000' },
        concurrent: { type: 'string', default: '10000' },
        seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
        only: { type: 'string' },
        path: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    return { kind: 'wrong', reason: error instanceof Error ? error.message : String(error) };
  }
  if (values.help) return { kind: 'help' };
  const { only, path } = values;
  const options: LongRunOptions = {
    operations: Number(values.operations),
    concurrent: Number(values.concurrent),
    seed: Number(values.seed),
    path,
    parts: parts.filter((part) => only === undefined || part === only),
  };
  const wrong = [
    ...notBetween('--operations', options.operations, 1, 10_000_000),
    ...notBetween('--concurrent', options.concurrent, 1, 1_000_000),
    ...notBetween('--seed', options.seed, 0, 2 ** 31 - 1),
    ...(options.parts.length === 0 ? [`--only has to be ${parts.join(' or ')}`] : []),
  ];
  return wrong.length > 0 ? { kind: 'wrong', reason: wrong.join('\n') } : { kind: 'run', options };
}

function notBetween(name: string, value: number, from: number, to: number): string[] {
  const isFine = Number.isInteger(value) && value >= from && value <= to;
  return isFine ? [] : [`${name} has to be a whole number from ${from} to ${to}`];
}

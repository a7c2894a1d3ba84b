import { parseArgs } from 'node:util';
import { faults, type Fault } from './faults.js';

export interface FaultOptions {
  faults: readonly Fault[];
  times: number;
  journeys: number;
  withOverload: boolean;
  isJson: boolean;
}

export type CommandLine =
  { kind: 'run'; options: FaultOptions } | { kind: 'help' } | { kind: 'wrong'; reason: string };

const OVERLOAD = 'overload';
const groups = Object.keys(faults);
const all = Object.values(faults).flat();

export const helpText = `npm run test:faults -- [options]

Brings about one fault after the other while journeys go on, on a Redis, a Postgres, an event bus and
two processes of the built service that are its own, and prints what became of the requests, the
journeys and the events. The exit code is 1 where something did not hold. About 11 minutes.

  --only WORDS      faults or groups of them, with commas between: whatever has one of the words in its
                    name; groups: ${[...groups, OVERLOAD].join(', ')}
  --times N         how often each of them happens (default 3)
  --journeys N      at the same time, with about two requests a second each (default 150)
  --json            the rows as JSON
  --help            this text

${all.map(({ name }) => `  ${name}`).join('\n')}
  ${OVERLOAD}`;

export function readCommandLine(args: string[]): CommandLine {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: {
        only: { type: 'string' },
        times: { type: 'string', default: '3' },
        journeys: { type: 'string', default: '150' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    return { kind: 'wrong', reason: error instanceof Error ? error.message : String(error) };
  }
  if (values.help) return { kind: 'help' };
  const words = values.only?.split(',').map((word) => word.trim().toLowerCase());
  const isWanted = (name: string, group: string) =>
    words === undefined || words.some((word) => word === group || name.toLowerCase().includes(word));
  const options: FaultOptions = {
    faults: Object.entries(faults).flatMap(([group, these]) =>
      these.filter(({ name }) => isWanted(name, group)),
    ),
    times: Number(values.times),
    journeys: Number(values.journeys),
    withOverload: isWanted(OVERLOAD, OVERLOAD),
    isJson: values.json,
  };
  const wrong = [
    ...notBetween('--times', options.times, 1, 1_000),
    ...notBetween('--journeys', options.journeys, 10, 2_000),
    ...(options.faults.length === 0 && !options.withOverload ? ['--only names no fault'] : []),
  ];
  return wrong.length > 0 ? { kind: 'wrong', reason: wrong.join('\n') } : { kind: 'run', options };
}

function notBetween(name: string, value: number, from: number, to: number): string[] {
  const isFine = Number.isInteger(value) && value >= from && value <= to;
  return isFine ? [] : [`${name} has to be a whole number from ${from} to ${to}`];
}

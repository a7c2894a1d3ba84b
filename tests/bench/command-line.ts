import { parseArgs } from 'node:util';

/** In the order in which they run. */
export const partNames = ['update', 'live', 'mix', 'wait', 'growth', 'memory', 'trips'] as const;
export type PartName = (typeof partNames)[number];

export interface BenchOptions {
  /** The update's cost against the floor, and nothing else. */
  isQuick: boolean;
  only: readonly PartName[];
  /** Many and short: on a shared machine both of a pair should have had the same neighbours. */
  rounds: number;
  seconds: number;
  journeys: number;
  node: string | undefined;
  soakMinutes: number;
}

export type CommandLine =
  { kind: 'run'; options: BenchOptions } | { kind: 'help' } | { kind: 'wrong'; reason: string };

export const helpText = `npm run bench -- [quick] [options]

Measures what the built service costs, in turn with a bare node:http floor, Fastify with the same
features and the design that was reviewed, on one Redis, with one load. Linux only; about 30
minutes on a machine that does nothing else. The figures are on the screen and, after a run of all
parts, in tests/bench/RESULTS.md. Missed bars are told and are no failure of the run.

  quick             only the update, only against the floor: about a minute

  --only PARTS      some of ${partNames.join(',')}
                      update, live, mix   cost against the floor and the peers; mix: also 10,000
                                          journeys as in production
                      wait                students who wait for news
                      growth              100,000 journeys against 1,000
                      memory              of Redis, a journey
                      trips               to Redis and Postgres, a call
  --rounds N        of each contender in turn (default 15)
  --seconds N       of each round (default 1)
  --journeys N      on the way, for update, live, mix at saturation and wait (default 20000)
  --node PATH       the Node of the service and the others (default: this one if it is 24 or later,
                    else Node 24 from the npm registry)
  --soak MINUTES    the mix for so long, to see whether the memory is flat (default: not at all)
  --help            this text`;

export function readCommandLine(args: string[]): CommandLine {
  let parsed;
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: {
        only: { type: 'string', default: partNames.join(',') },
        rounds: { type: 'string', default: '15' },
        seconds: { type: 'string', default: '1' },
        journeys: { type: 'string' },
        node: { type: 'string' },
        soak: { type: 'string', default: '0' },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    return { kind: 'wrong', reason: error instanceof Error ? error.message : String(error) };
  }
  const { values, positionals } = parsed;
  if (values.help) return { kind: 'help' };
  const isQuick = positionals[0] === 'quick';
  const surplus = positionals.slice(isQuick ? 1 : 0);
  const only = values.only.split(',').filter((name) => name !== '');
  const unknown = only.filter((name) => !(partNames as readonly string[]).includes(name));
  const options = {
    isQuick,
    only: isQuick ? (['update'] as PartName[]) : partNames.filter((name) => only.includes(name)),
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    journeys: Number(values.journeys ?? (isQuick ? 10_000 : 20_000)),
    node: values.node,
    soakMinutes: Number(values.soak),
  };
  const wrong = [
    ...surplus.map((word) => `${word} is no word that the bench knows`),
    ...unknown.map((name) => `--only: there is no ${name}`),
    ...(only.length === 0 ? ['--only names nothing'] : []),
    ...notBetween('--rounds', options.rounds, 1, 100),
    ...notBetween('--seconds', options.seconds, 1, 600),
    ...notBetween('--journeys', options.journeys, 100, 100_000),
    ...notBetween('--soak', options.soakMinutes, 0, 600),
    ...(options.soakMinutes > 0 && !options.only.includes('mix') ? ['--soak is for the mix'] : []),
  ];
  return wrong.length > 0 ? { kind: 'wrong', reason: wrong.join('\n') } : { kind: 'run', options };
}

function notBetween(name: string, value: number, from: number, to: number): string[] {
  const isFine = Number.isInteger(value) && value >= from && value <= to;
  return isFine ? [] : [`${name} has to be a whole number from ${from} to ${to}`];
}

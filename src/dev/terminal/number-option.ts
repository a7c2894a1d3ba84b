import { InvalidArgumentError } from 'commander';

/** Parses a number of a range from the command line, without a sign. */
export function number(least: number, most: number, kind: 'whole' | 'any' = 'any'): (text: string) => number {
  const form = kind === 'whole' ? /^\d+$/ : /^\d+(\.\d+)?$/;
  return (text) => {
    const value = form.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(
      `Must be a ${kind === 'whole' ? 'whole ' : ''}number from ${least} to ${most}.`,
    );
  };
}

import { InvalidArgumentError } from 'commander';

/** A parser for an option of the command line. */
export function wholeNumber(from: number, to: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= from && value <= to) return value;
    throw new InvalidArgumentError(`Expected an integer from ${from} to ${to}.`);
  };
}

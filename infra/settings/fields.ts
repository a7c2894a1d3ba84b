import { z } from 'zod';

export const text = (pattern: RegExp, message: string) =>
  z.string({ error: message }).regex(pattern, message);
export const integer = (from: number, to: number) => {
  const message = `must be a whole number from ${from} to ${to}`;
  return z.int({ error: message }).min(from, message).max(to, message);
};

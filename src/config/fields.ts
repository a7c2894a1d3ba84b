import { z } from 'zod';

/** Forms of settings that several have; each says in its message what the value should be, and never what it is. */
export const whole = (from: number, to: number, standard: number) => {
  const message = `must be a whole number from ${from} to ${to}`;
  return z
    .string()
    .regex(/^\d+$/, message)
    .transform(Number)
    .refine((value) => value >= from && value <= to, message)
    .default(standard);
};
export const flag = (standard: boolean) =>
  z
    .enum(['true', 'false'], 'must be true or false')
    .default(standard ? 'true' : 'false')
    .transform((text) => text === 'true');
export const word = (what: string) =>
  z.string().regex(/^[\w.-]+$/, `must be ${what}, of letters, digits, dots, - and _`);
export const filled = () => z.string().min(1, 'must not be empty');
export const url = (protocols: string[], example: string) =>
  z
    .string({ error: `must be set, such as ${example}` })
    .refine(
      (text) => URL.canParse(text) && protocols.includes(new URL(text).protocol),
      `must be a URL such as ${example}`,
    );

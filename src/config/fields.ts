import { z } from 'zod';

// The messages say what a value must be and never what it is: it may be a secret.

export const integer = (min: number, max: number, defaultValue: number) => {
  const message = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d+$/, message)
    .transform(Number)
    .refine((value) => value >= min && value <= max, message)
    .default(defaultValue);
};
export const flag = (defaultValue: boolean) =>
  z
    .enum(['true', 'false'], 'must be true or false')
    .default(defaultValue ? 'true' : 'false')
    .transform((text) => text === 'true');
export const name = (what: string) =>
  z.string().regex(/^[\w.-]+$/, `must be ${what}: letters, digits, dots, hyphens and underscores`);
export const text = () => z.string().min(1, 'must not be empty');
export const url = (protocols: string[], example: string) =>
  z
    .string({ error: `must be set, for example ${example}` })
    .refine(
      (value) => URL.canParse(value) && protocols.includes(new URL(value).protocol),
      `must be a URL, for example ${example}`,
    );

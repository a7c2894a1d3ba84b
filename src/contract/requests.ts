import { z } from 'zod';
import { Uuid } from './identifiers.js';

export const SessionParams = z.object({ sessionId: Uuid });

export const LiveQuery = z.object({ sessionId: Uuid });

/** Phones say "unknown" as null or as a negative number (iOS: -1); both mean absent. */
function measured(schema: z.ZodNumber, description: string) {
  return schema
    .nullish()
    .transform((value) => (value === null || value === undefined || value < 0 ? undefined : value))
    .meta({ description: `${description} Null or negative: unknown.` });
}

/** The body of a position update: degrees WGS 84, metres, metres per second, degrees clockwise from north. */
export const PositionUpdate = z
  .object({
    sessionId: Uuid,
    latitude: z.number().min(-90).max(90).meta({ description: 'Degrees, WGS 84.', example: 12.971599 }),
    longitude: z.number().min(-180).max(180).meta({ description: 'Degrees, WGS 84.', example: 77.594566 }),
    accuracy: measured(z.number(), 'Radius of uncertainty in metres.').optional(),
    speed: measured(z.number(), 'Metres per second.').optional(),
    heading: measured(z.number().max(360), 'Degrees clockwise from north, 0 to 360.').optional(),
    sequence: z.int().min(0).optional().meta({ description: 'Rises within a journey; gaps are fine.' }),
    ageMs: z
      .int()
      .min(0)
      .optional()
      .meta({ description: 'How old the fix was when it was sent, in milliseconds, by a monotonic clock.' }),
    mocked: z.boolean().optional().meta({ description: 'The phone says that the position is simulated.' }),
  })
  .meta({ id: 'PositionUpdate' });
export type PositionUpdate = z.output<typeof PositionUpdate>;
/** As a phone sends it. */
export type PositionUpdateBody = z.input<typeof PositionUpdate>;

/** Makes a repeat of start, arrived and stop-journey answer what the first call did. */
export const IdempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,128}$/, 'must be 1 to 128 visible ASCII characters')
  .optional()
  .meta({
    description:
      'A repeat by the same caller gets the first answer again, also after the journey has ended; kept for 65 minutes.',
  });

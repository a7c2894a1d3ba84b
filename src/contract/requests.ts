import { z } from 'zod';
import { Uuid } from './identifiers.js';

export const SessionParams = z.object({ sessionId: Uuid });

export const LiveQuery = z.object({ sessionId: Uuid });

/** Phones send null or a negative number (iOS: -1) for "unknown". */
function measured(schema: z.ZodNumber, description: string) {
  return schema
    .nullish()
    .transform((value) => (value === null || value === undefined || value < 0 ? undefined : value))
    .meta({ description: `${description} Null or negative means unknown.` });
}

/** The body of a position update: degrees WGS 84, metres, metres per second, degrees clockwise from north. */
export const PositionUpdate = z
  .object({
    sessionId: Uuid,
    latitude: z.number().min(-90).max(90).meta({ description: 'Degrees, WGS 84.', example: 12.971599 }),
    longitude: z.number().min(-180).max(180).meta({ description: 'Degrees, WGS 84.', example: 77.594566 }),
    accuracy: measured(z.number(), 'Accuracy radius in metres.').optional(),
    speed: measured(z.number(), 'Speed in metres per second.').optional(),
    heading: measured(z.number().max(360), 'Degrees clockwise from north, 0 to 360.').optional(),
    sequence: z
      .int()
      .min(0)
      .optional()
      .meta({ description: 'Increases within a journey; gaps are allowed.' }),
    ageMs: z.int().min(0).optional().meta({
      description: 'Age of the fix when it was sent, in milliseconds, measured with a monotonic clock.',
    }),
    mocked: z.boolean().optional().meta({ description: 'True if the phone reports a mock location.' }),
  })
  .meta({ id: 'PositionUpdate' });
export type PositionUpdate = z.output<typeof PositionUpdate>;
/** The body before validation. */
export type PositionUpdateBody = z.input<typeof PositionUpdate>;

export const IdempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,128}$/, 'must be 1 to 128 visible ASCII characters')
  .optional()
  .meta({
    description:
      'A repeated request of the same caller with the same key gets the first response, also after the end of the journey. Stored for 65 minutes.',
  });

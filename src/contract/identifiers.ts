import { z } from 'zod';

/** A UUID of any version in canonical form, normalized to lower case. */
export const Uuid = z
  .string()
  .regex(
    /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
    'must be a UUID, for example 3f2b8c1e-9d4a-4f6b-8a57-0c1d2e3f4a5b',
  )
  .toLowerCase()
  .meta({ description: 'UUID of any version in canonical form, case-insensitive.' });

/** Of the sample data, so that the documented requests work there. */
export const SessionId = Uuid.meta({ example: '5e55a000-0000-4000-8000-000000000001' });
export const TrainerId = Uuid.meta({ example: '7a100000-0000-4000-8000-000000000001' });
export const StudentId = Uuid.meta({ example: '57d00000-0000-4000-8000-000000000001' });

export const roles = ['trainer', 'student', 'admin'] as const;
export type Role = (typeof roles)[number];

/** The claims of a verified token that the service uses. The role may be one that only other services know. */
export const TokenClaims = z.object({ sub: Uuid, role: z.string() });

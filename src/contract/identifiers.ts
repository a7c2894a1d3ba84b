import { z } from 'zod';

/** A UUID in canonical form, of any version; compared, and therefore kept, in lower case. */
export const Uuid = z
  .string()
  .regex(
    /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
    'must be a UUID, such as 3f2b8c1e-9d4a-4f6b-8a57-0c1d2e3f4a5b',
  )
  .toLowerCase()
  .meta({
    description: 'A UUID in canonical form, of any version.',
    example: '3f2b8c1e-9d4a-4f6b-8a57-0c1d2e3f4a5b',
  });

export const roles = ['trainer', 'student', 'admin'] as const;
export type Role = (typeof roles)[number];

/** The claims of a verified token that the service uses. The role may be one that only other services know. */
export const TokenClaims = z.object({ sub: Uuid, role: z.string() });

import { SignJWT, type JWTPayload } from 'jose';
import type { Role } from '../../src/contract/identifiers.js';

/** The secret that every service of the tests checks tokens by, unless a test says otherwise. */
export const SECRET = 'a secret of the tests, at least 32 bytes long';

/** A valid token for an hour; claims can be added or, with undefined, taken out. */
export function tokenFor(userId: string, role: Role, claims: JWTPayload = {}): Promise<string> {
  const payload: JWTPayload = { sub: userId, role, exp: Math.floor(Date.now() / 1000) + 3_600, ...claims };
  return new SignJWT(payload).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(SECRET));
}

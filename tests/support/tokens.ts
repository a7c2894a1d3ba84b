import { createHmac } from 'node:crypto';
import { SignJWT, type JWTPayload } from 'jose';
import type { Role } from '../../src/contract/identifiers.js';

/** The default secret of the services under test. */
export const SECRET = 'a secret of the tests, at least 32 bytes long';

/** Valid for an hour; a claim of undefined is left out. */
export function tokenFor(userId: string, role: Role, claims: JWTPayload = {}): Promise<string> {
  const payload: JWTPayload = { sub: userId, role, exp: Math.floor(Date.now() / 1000) + 3_600, ...claims };
  return new SignJWT(payload).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(SECRET));
}

export interface OddToken {
  header?: Record<string, unknown>;
  claims?: Record<string, unknown>;
  secret?: string;
  hash?: 'sha256' | 'sha384' | 'sha512';
  /** In place of the computed one. */
  signature?: string;
}

/** A token that no JWT library would make. */
export function oddToken({ header, claims, secret = SECRET, hash = 'sha256', signature }: OddToken): string {
  const signed = `${encoded({ alg: 'HS256', typ: 'JWT', ...header })}.${encoded(claims ?? {})}`;
  return `${signed}.${signature ?? createHmac(hash, secret).update(signed).digest('base64url')}`;
}

export function secondsFromNow(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

function encoded(part: Record<string, unknown>): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

import { createHmac } from 'node:crypto';
import { SignJWT, type JWTPayload } from 'jose';
import type { Role } from '../../src/contract/identifiers.js';

/** The secret that every service of the tests checks tokens by, unless a test says otherwise. */
export const SECRET = 'a secret of the tests, at least 32 bytes long';

/** A valid token for an hour; claims can be added or, with undefined, taken out. */
export function tokenFor(userId: string, role: Role, claims: JWTPayload = {}): Promise<string> {
  const payload: JWTPayload = { sub: userId, role, exp: Math.floor(Date.now() / 1000) + 3_600, ...claims };
  return new SignJWT(payload).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(SECRET));
}

export interface OddToken {
  header?: Record<string, unknown>;
  claims?: Record<string, unknown>;
  /** The secret that it is signed with. */
  secret?: string;
  hash?: 'sha256' | 'sha384' | 'sha512';
  /** In place of the computed one. */
  signature?: string;
}

/** A token with whatever header, claims and signature a test wants, which no JWT library would make. */
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

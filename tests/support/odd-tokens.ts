import { createHmac } from 'node:crypto';
import { SECRET } from './tokens.js';

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

import { createSecretKey } from 'node:crypto';
import type { Request } from 'express';
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload } from 'jose';
import { LRUCache } from 'lru-cache';
import { TokenClaims } from '../contract/identifiers.js';
import { StateUnavailableError } from '../journey/failures.js';
import type { Caller } from '../journey/journey.js';
import { Refusal } from './answers.js';

export interface AuthenticationSettings {
  /** Where the keys of RS256, ES256 and EdDSA tokens are, or the secret of HS256 ones; never both. */
  key: { jwksUrl: string } | { secret: string };
  issuer: string | undefined;
  audience: string | undefined;
}

const CLOCK_LEEWAY_SECONDS = 5;
/** With the time that Redis may take after it, within a second. */
const JWKS_TIMEOUT_MS = 400;
/** How soon a key that is not known is looked for again: a new key is taken this soon, and a flood of odd ones asks no more often. */
const JWKS_COOLDOWN_MS = 5_000;
/** 20,000 journeys have 40,000 tokens; about 500 bytes each. */
const REMEMBERED_TOKENS = 50_000;
const BEARER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i;

type Verify = (token: string) => Promise<JWTPayload>;

/** Who calls, from the Authorization header. */
export class Authenticator {
  readonly #verify: Verify;
  /** Verified tokens until they expire: checking a signature costs more than the rest of a request. */
  readonly #verified = new LRUCache<string, Caller & { expiresAtMs: number }>({ max: REMEMBERED_TOKENS });

  constructor(settings: AuthenticationSettings) {
    this.#verify = verifier(settings);
  }

  /** A caller whose token is known needs no promise. @throws Refusal UNAUTHENTICATED; StateUnavailableError */
  authenticate(req: Request): Caller | Promise<Caller> {
    const token = BEARER.exec(req.headers.authorization ?? '')?.[1];
    if (token === undefined) throw unauthenticated('Send a token: Authorization: Bearer <JWT>.');
    const known = this.#verified.get(token);
    if (known !== undefined && known.expiresAtMs > Date.now()) return known;
    return this.#check(token);
  }

  async #check(token: string): Promise<Caller> {
    const payload = await this.#verify(token).catch((error: unknown) => {
      // The keys can't be had, which says nothing about the token.
      if (isKeyServerFailure(error)) throw new StateUnavailableError('tokenKeys', error);
      throw unauthenticated('The token is not valid.');
    });
    const claims = TokenClaims.safeParse(payload);
    if (!claims.success)
      throw unauthenticated(
        "The token's sub must be a user's id (UUID), its role trainer, student or admin.",
      );
    const expiresAtMs = ((payload.exp ?? 0) + CLOCK_LEEWAY_SECONDS) * 1000;
    const caller = { userId: claims.data.sub, role: claims.data.role, expiresAtMs };
    this.#verified.set(token, caller);
    return caller;
  }
}

function verifier({ key, issuer, audience }: AuthenticationSettings): Verify {
  const checks = {
    requiredClaims: ['exp', 'sub'],
    clockTolerance: CLOCK_LEEWAY_SECONDS,
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
  };
  if ('secret' in key) {
    // Made a key once: from bytes, jose would make one anew for each token.
    const secret = createSecretKey(key.secret, 'utf8');
    return async (token) => (await jwtVerify(token, secret, { ...checks, algorithms: ['HS256'] })).payload;
  }
  const keys = createRemoteJWKSet(new URL(key.jwksUrl), {
    timeoutDuration: JWKS_TIMEOUT_MS,
    cooldownDuration: JWKS_COOLDOWN_MS,
  });
  return async (token) =>
    (await jwtVerify(token, keys, { ...checks, algorithms: ['RS256', 'ES256', 'EdDSA'] })).payload;
}

/** jose says what is wrong with a token by errors of its own; a network error, or a key server's nonsense, is none of them. */
function isKeyServerFailure(error: unknown): boolean {
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return true;
  // The key server answered, but not with 200.
  if (error instanceof errors.JOSEError) return error.code === 'ERR_JOSE_GENERIC';
  return true;
}

function unauthenticated(message: string): Refusal {
  return new Refusal('UNAUTHENTICATED', message, undefined, { 'WWW-Authenticate': 'Bearer' });
}

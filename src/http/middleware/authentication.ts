import type { Request } from 'express';
import { LRUCache } from 'lru-cache';
import type { JWTVerifyOptions } from 'jose';
import { roles, TokenClaims } from '../../contract/identifiers.js';
import { StateUnavailableError } from '../../journeys/errors.js';
import type { Caller } from '../../journeys/journey.js';
import { ApiError } from '../responses.js';
import { tokenVerifier, type TokenKeySettings, type Verify } from './token-keys.js';

export interface AuthenticationSettings {
  /** Where the keys of RS256, ES256 and EdDSA tokens are, or the secret of HS256 ones; never both. */
  key: TokenKeySettings;
  issuer: string | undefined;
  audience: string | undefined;
}

const CLOCK_LEEWAY_SECONDS = 5;
/** 100,000 journeys have 200,000 tokens; only valid ones are kept, of some hundred bytes each. */
const REMEMBERED_TOKENS = 250_000;
/** In bytes: a token may be as long as a header. */
const REMEMBERED_LENGTH = 128 * 1024 * 1024;
/**
 * Then its signature is checked again, so that a key that was taken back is not believed for as long as its tokens say.
 * Each has its own time between these: nearly all come within seconds of the start of a process, and 39,000 that were
 * checked again together held everything up for a quarter of a minute.
 */
const REMEMBERED_FOR_MS = { least: 150_000, most: 300_000 };
const BEARER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i;

/** Who calls, from the Authorization header. */
export class Authenticator {
  readonly #verify: Verify;
  readonly #checks: JWTVerifyOptions;
  readonly #canLoseKeys: boolean;
  /**
   * Verified tokens, for a while where keys can be taken back, and never beyond their end: checking a signature costs more
   * than the rest of a request.
   */
  readonly #verified = new LRUCache<string, Caller & { untilSeconds: number }>({
    max: REMEMBERED_TOKENS,
    maxSize: REMEMBERED_LENGTH,
    sizeCalculation: (_caller, token) => token.length,
  });

  constructor(settings: AuthenticationSettings) {
    const { key, issuer, audience } = settings;
    this.#verify = tokenVerifier(key);
    this.#canLoseKeys = 'jwksUrl' in key;
    this.#checks = {
      requiredClaims: ['exp', 'sub'],
      clockTolerance: CLOCK_LEEWAY_SECONDS,
      ...(issuer === undefined ? {} : { issuer }),
      ...(audience === undefined ? {} : { audience }),
    };
  }

  /** A caller whose token is known needs no promise. @throws ApiError UNAUTHENTICATED; StateUnavailableError */
  authenticate(req: Request): Caller | Promise<Caller> {
    const token = BEARER.exec(req.headers.authorization ?? '')?.[1];
    if (token === undefined) throw unauthenticated('Send a token: Authorization: Bearer <JWT>.');
    const known = this.#verified.get(token);
    if (known !== undefined && known.untilSeconds * 1000 > Date.now()) return known;
    return this.#check(token);
  }

  async #check(token: string): Promise<Caller> {
    const payload = await this.#verify(token, this.#checks).catch((error: unknown) => {
      if (error instanceof StateUnavailableError) throw error;
      throw unauthenticated('The token is not valid.');
    });
    const claims = TokenClaims.safeParse(payload);
    if (!claims.success)
      throw unauthenticated(
        "The token's sub must be a user's id (UUID), its role trainer, student or admin.",
      );
    const { sub, role } = claims.data;
    const endsAtSeconds = (payload.exp ?? 0) + CLOCK_LEEWAY_SECONDS;
    // A whole number of 32 bits and a string that all have in common are no objects of their own; there are many tokens.
    const untilSeconds = Math.floor(Math.min(endsAtSeconds, this.#checkedAgainAtSeconds()));
    const caller = { userId: sub, role: roles.find((known) => known === role) ?? role, untilSeconds };
    this.#verified.set(token, caller);
    return caller;
  }

  /** Never where the keys are secrets, which are the same for as long as the process lives. */
  #checkedAgainAtSeconds(): number {
    if (!this.#canLoseKeys) return Infinity;
    const { least, most } = REMEMBERED_FOR_MS;
    return (Date.now() + least + Math.random() * (most - least)) / 1000;
  }
}

function unauthenticated(message: string): ApiError {
  return new ApiError('UNAUTHENTICATED', message, undefined, { 'WWW-Authenticate': 'Bearer' });
}

import { hash } from 'node:crypto';
import type { Request, RequestHandler } from 'express';
import { LRUCache } from 'lru-cache';
import type { JWTVerifyOptions } from 'jose';
import { roles, TokenClaims, type Role } from '../../contract/identifiers.js';
import { SessionParams } from '../../contract/requests.js';
import { StateUnavailableError } from '../../journeys/errors.js';
import type { Caller } from '../../journeys/journey.js';
import { isPermitted, permittedRoles, type Call } from '../../journeys/permissions.js';
import { ApiError } from '../responses.js';
import { tokenVerifier, type TokenKeySettings, type Verify } from './token-keys.js';

declare module 'express-serve-static-core' {
  interface Request {
    /** Set by `authorize`; undefined before and without a valid token. */
    caller: Caller;
  }
}

export interface AuthenticationSettings {
  /** Either the URL of RS256, ES256 and EdDSA keys, or HS256 secrets. */
  key: TokenKeySettings;
  issuer: string | undefined;
  audience: string | undefined;
}

const CLOCK_LEEWAY_SECONDS = 5;
const MAX_CACHED_TOKENS = 100_000;
/** Random between these, so that tokens that arrived together are not verified again together. */
const CACHED_FOR_MS = { min: 150_000, max: 300_000 };
const BEARER = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i;

/** Identifies the caller by the Authorization header. */
export class Authenticator {
  readonly #verify: Verify;
  readonly #checks: JWTVerifyOptions;
  /** Keys of a key server can be revoked; secrets stay for the life of the process. */
  readonly #areKeysRevocable: boolean;
  /** Callers by the hash of their token: checking a signature costs more than the rest of a request. */
  readonly #verified = new LRUCache<string, Caller>({
    max: MAX_CACHED_TOKENS,
    ttl: CACHED_FOR_MS.max,
    // Tokens expire by wall-clock time.
    perf: Date,
  });

  constructor({ key, issuer, audience }: AuthenticationSettings) {
    this.#verify = tokenVerifier(key);
    this.#areKeysRevocable = 'jwksUrl' in key;
    this.#checks = {
      requiredClaims: ['exp', 'sub'],
      clockTolerance: CLOCK_LEEWAY_SECONDS,
      ...(issuer === undefined ? {} : { issuer }),
      ...(audience === undefined ? {} : { audience }),
    };
  }

  /** @throws ApiError UNAUTHENTICATED, FORBIDDEN for an unknown role; StateUnavailableError */
  async authenticate(req: Request): Promise<Caller> {
    const token = BEARER.exec(req.headers.authorization ?? '')?.[1];
    if (token === undefined) throw unauthenticated('Send a token: Authorization: Bearer <JWT>.');
    // The token itself would keep the whole header in memory.
    const key = hash('sha256', token, 'base64');
    return this.#verified.get(key) ?? this.#check(token, key);
  }

  async #check(token: string, key: string): Promise<Caller> {
    const payload = await this.#verify(token, this.#checks).catch((error: unknown) => {
      if (error instanceof StateUnavailableError) throw error;
      throw unauthenticated('The token is not valid.');
    });
    if (!isCanonical(token)) throw unauthenticated('The token is not valid.');
    const claims = TokenClaims.safeParse(payload);
    if (!claims.success) {
      throw unauthenticated('The token needs the claims sub (a UUID) and role.');
    }
    const role = roles.find((known) => known === claims.data.role);
    // Not 401: the app would refresh a valid token over and over.
    if (role === undefined) throw forbiddenRole(roles);
    const caller = { userId: claims.data.sub, role };
    const expiresInMs = ((payload.exp ?? 0) + CLOCK_LEEWAY_SECONDS) * 1_000 - Date.now();
    if (expiresInMs >= 1)
      this.#verified.set(key, caller, { ttl: Math.min(expiresInMs, this.#cachedForMs()) });
    return caller;
  }

  #cachedForMs(): number {
    if (!this.#areKeysRevocable) return Infinity;
    const { min, max } = CACHED_FOR_MS;
    return min + Math.random() * (max - min);
  }
}

/** The last character of base64url has unused bits: without this check a token would have several spellings. */
function isCanonical(token: string): boolean {
  return token.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part);
}

/** Sets req.caller. No body is read for a caller whose role may not make the call. routeLabel: see request-context.ts. */
export function authorize(authenticator: Authenticator, call: Call, routeLabel: string): RequestHandler {
  return async (req, _res, next) => {
    req.routeLabel = routeLabel;
    req.caller = await authenticator.authenticate(req);
    if (!isPermitted(call, req.caller.role)) {
      req.sessionId = SessionParams.safeParse({ ...req.query, ...req.params }).data?.sessionId;
      throw forbiddenRole(permittedRoles[call]);
    }
    next();
  };
}

function unauthenticated(message: string): ApiError {
  return new ApiError('UNAUTHENTICATED', message, undefined, { 'WWW-Authenticate': 'Bearer' });
}

function forbiddenRole(permitted: readonly Role[]): ApiError {
  return new ApiError('FORBIDDEN', `This call requires the role ${permitted.join(' or ')}.`);
}

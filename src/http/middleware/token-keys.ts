import { webcrypto } from 'node:crypto';
import {
  createRemoteJWKSet,
  customFetch,
  errors,
  jwtVerify,
  type CryptoKey,
  type FetchImplementation,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
} from 'jose';
import { StateUnavailableError, withTimeout } from '../../journeys/errors.js';

/** Several secrets during a rotation: a token signed with any of them is valid. */
export type TokenKeySettings = { jwksUrl: string } | { secrets: string[] };
/** Resolves with the payload. @throws jose's error for an invalid token; StateUnavailableError without keys */
export type Verify = (token: string, checks: JWTVerifyOptions) => Promise<JWTPayload>;

/** How long a request waits for a key; together with Redis' timeout below a second. */
const KEY_TIMEOUT_MS = 400;
/** A slow key server is reached in the background, while requests get 503. */
const FETCH_TIMEOUT_MS = 5_000;
/** Unknown key ids cause a fetch at most this often. */
const COOLDOWN_MS = 5_000;
/** Pause after a failed fetch. */
const RETRY_AFTER_MS = 1_000;
/** Refreshed in the background; until then, and for as long as a token is cached, a revoked key is accepted. */
const REFRESH_EVERY_MS = 600_000;

export function tokenVerifier(settings: TokenKeySettings): Verify {
  if ('jwksUrl' in settings) {
    const keys = new RemoteKeys(new URL(settings.jwksUrl));
    return (token, checks) => keys.verify(token, { ...checks, algorithms: ['RS256', 'ES256', 'EdDSA'] });
  }
  const keys = Promise.all(settings.secrets.map(keyOf));
  return async (token, checks) => verifyWithAny(await keys, token, { ...checks, algorithms: ['HS256'] });
}

/** In jose's own form, which it would otherwise derive anew for each token. */
function keyOf(secret: string): Promise<webcrypto.CryptoKey> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  return webcrypto.subtle.importKey('raw', Buffer.from(secret), algorithm, false, ['verify']);
}

/** The keys of a JWKS URL. Known keys stay while the key server is unavailable. */
class RemoteKeys {
  readonly #keys: ReturnType<typeof createRemoteJWKSet>;
  #refreshAtMs = Date.now() + REFRESH_EVERY_MS;
  #retryAtMs = 0;
  /** When the last fetch began, by performance.now(). */
  #fetchedAtMs = -Infinity;

  constructor(url: URL) {
    this.#keys = createRemoteJWKSet(url, {
      timeoutDuration: FETCH_TIMEOUT_MS,
      cooldownDuration: COOLDOWN_MS,
      cacheMaxAge: Infinity,
      [customFetch]: (...request) => this.#fetch(...request),
    });
  }

  async verify(token: string, checks: JWTVerifyOptions): Promise<JWTPayload> {
    this.#refreshIfDue();
    const find: JWTVerifyGetKey = (...key) => this.#find(...key);
    try {
      return (await jwtVerify(token, find, checks)).payload;
    } catch (error) {
      if (error instanceof errors.JWKSMultipleMatchingKeys) return verifyWithAny(error, token, checks);
      throw error;
    }
  }

  /** @throws StateUnavailableError if the key may exist; jose's error otherwise */
  async #find(...[header, token]: Parameters<JWTVerifyGetKey>): Promise<CryptoKey> {
    const askedAtMs = performance.now();
    try {
      return await withTimeout(KEY_TIMEOUT_MS, 'tokenKeys', this.#keys(header, token));
    } catch (error) {
      if (error instanceof StateUnavailableError) throw error;
      // A key that was not there before the token came may be new.
      const mayBeNew = this.#fetchedAtMs < askedAtMs && this.#isUnknown(header.kid);
      if (mayBeNew || isKeyServerFailure(error)) throw new StateUnavailableError('tokenKeys', error);
      throw error;
    }
  }

  #isUnknown(kid: unknown): boolean {
    return typeof kid === 'string' && this.#keys.jwks()?.keys.every((key) => key.kid !== kid) === true;
  }

  #refreshIfDue(): void {
    if (Date.now() < this.#refreshAtMs) return;
    this.#refreshAtMs = Date.now() + REFRESH_EVERY_MS;
    // A failure keeps the known keys.
    this.#keys.reload().catch(() => undefined);
  }

  async #fetch(...[url, options]: Parameters<FetchImplementation>): Promise<Response> {
    if (Date.now() < this.#retryAtMs) throw new Error('the key server failed recently');
    this.#fetchedAtMs = performance.now();
    const failed = () => {
      this.#retryAtMs = Date.now() + RETRY_AFTER_MS;
    };
    try {
      const response = await fetch(url, options);
      if (!response.ok) failed();
      return response;
    } catch (error) {
      failed();
      throw error;
    }
  }
}

/** For a token without a key id while several keys match, as in a rotation. */
async function verifyWithAny(
  candidates: errors.JWKSMultipleMatchingKeys | webcrypto.CryptoKey[],
  token: string,
  checks: JWTVerifyOptions,
): Promise<JWTPayload> {
  for await (const key of candidates) {
    try {
      return (await jwtVerify(token, key, checks)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
    }
  }
  throw new errors.JWSSignatureVerificationFailed();
}

/** As opposed to an invalid token, for which jose has its own error classes. */
function isKeyServerFailure(error: unknown): boolean {
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return true;
  // A status other than 200.
  if (error instanceof errors.JOSEError) return error.code === 'ERR_JOSE_GENERIC';
  return true;
}

import { webcrypto } from 'node:crypto';
import {
  createRemoteJWKSet,
  customFetch,
  errors,
  jwtVerify,
  type FetchImplementation,
  type JWTPayload,
  type JWTVerifyOptions,
} from 'jose';
import { StateUnavailableError } from '../../journeys/errors.js';

/** Several secrets while one is replaced by another: a token by any of them is believed. */
export type TokenKeySettings = { jwksUrl: string } | { secrets: string[] };
/** Resolves with the payload. @throws jose's error where the token is not valid; StateUnavailableError without keys */
export type Verify = (token: string, checks: JWTVerifyOptions) => Promise<JWTPayload>;

/** With the time that Redis may take after it, within a second. */
const TIMEOUT_MS = 400;
/** How soon a key that is not known is looked for again: a new key is taken this soon, and a flood of odd ones asks no more often. */
const COOLDOWN_MS = 5_000;
/** A key server that failed is left alone this long. */
const RETRY_AFTER_MS = 1_000;
/**
 * The first token after this has the keys asked for again, and does not wait for them: one by a key that was taken back is
 * believed until then, and for as long as the authenticator remembers what was verified before.
 */
const REFRESH_EVERY_MS = 600_000;

export function tokenVerifier(settings: TokenKeySettings): Verify {
  if ('jwksUrl' in settings) {
    const keys = new RemoteKeys(new URL(settings.jwksUrl));
    return (token, checks) => keys.verify(token, { ...checks, algorithms: ['RS256', 'ES256', 'EdDSA'] });
  }
  const keys = Promise.all(settings.secrets.map(keyOf));
  return async (token, checks) => verifyWithAny(await keys, token, { ...checks, algorithms: ['HS256'] });
}

/** As jose uses it: from bytes or a KeyObject it would make another for each token, which takes 120 µs more. */
function keyOf(secret: string): Promise<webcrypto.CryptoKey> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  return webcrypto.subtle.importKey('raw', Buffer.from(secret), algorithm, false, ['verify']);
}

/** The keys of a JWKS URL. Those that are known stay while the key server is away. */
class RemoteKeys {
  readonly #keys: ReturnType<typeof createRemoteJWKSet>;
  #refreshAtMs = Date.now() + REFRESH_EVERY_MS;
  #retryAtMs = 0;

  constructor(url: URL) {
    this.#keys = createRemoteJWKSet(url, {
      timeoutDuration: TIMEOUT_MS,
      cooldownDuration: COOLDOWN_MS,
      cacheMaxAge: Infinity,
      [customFetch]: (...request) => this.#fetch(...request),
    });
  }

  async verify(token: string, checks: JWTVerifyOptions): Promise<JWTPayload> {
    this.#refreshInTime();
    try {
      return (await jwtVerify(token, this.#keys, checks)).payload;
    } catch (error) {
      if (error instanceof errors.JWKSMultipleMatchingKeys) return verifyWithAny(error, token, checks);
      // The keys can't be had, which says nothing about the token.
      if (isKeyServerFailure(error)) throw new StateUnavailableError('tokenKeys', error);
      throw error;
    }
  }

  #refreshInTime(): void {
    if (Date.now() < this.#refreshAtMs) return;
    this.#refreshAtMs = Date.now() + REFRESH_EVERY_MS;
    // A failure leaves the keys as they are; the first token of an unknown key asks again.
    this.#keys.reload().catch(() => undefined);
  }

  async #fetch(...[url, options]: Parameters<FetchImplementation>): Promise<Response> {
    if (Date.now() < this.#retryAtMs) throw new Error('the key server failed a moment ago');
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

/** A token that names no key, while there are two of its kind, as in a rotation. */
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

/** jose says what is wrong with a token by errors of its own; a network error, or a key server's nonsense, is none of them. */
function isKeyServerFailure(error: unknown): boolean {
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return true;
  // The key server answered, but not with 200.
  if (error instanceof errors.JOSEError) return error.code === 'ERR_JOSE_GENERIC';
  return true;
}

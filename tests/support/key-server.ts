import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Role } from '../../src/contract/identifiers.js';

/** A key that tokens are signed with, and its public half as a JWK. */
export interface SigningKey {
  kid: string;
  alg: string;
  privateKey: CryptoKey;
  publicJwk: JWK;
}

export async function aSigningKey(alg: string, kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

export async function signedBy(key: SigningKey, userId: string, role: Role): Promise<string> {
  return new SignJWT({ sub: userId, role, jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: key.alg, kid: key.kid })
    .setExpirationTime('1h')
    .sign(key.privateKey);
}

export async function signedWithoutKid(key: SigningKey, userId: string): Promise<string> {
  return new SignJWT({ sub: userId, role: 'student', jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: key.alg })
    .setExpirationTime('1h')
    .sign(key.privateKey);
}

export interface KeyServer {
  url: string;
  /** The published keys; a test may change them. */
  keys: SigningKey[];
  requests(): number;
  /** How long it takes for each response. */
  delayMs: number;
  /** In place of the keys. */
  answerWith(answer: ((response: ServerResponse) => void) | undefined): void;
  stop(): Promise<void>;
}

/** Where the platform publishes the keys of its tokens (JWKS, RFC 7517). */
export async function startKeyServer(keys: SigningKey[]): Promise<KeyServer> {
  let requests = 0;
  let inPlace: ((response: ServerResponse) => void) | undefined;
  const http = createServer((_request, response) => {
    requests++;
    if (inPlace !== undefined) {
      inPlace(response);
      return;
    }
    const respond = () => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ keys: server.keys.map(({ publicJwk }) => publicJwk) }));
    };
    setTimeout(respond, server.delayMs);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const server: KeyServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/.well-known/jwks.json`,
    keys,
    delayMs: 0,
    requests: () => requests,
    answerWith: (answer) => {
      inPlace = answer;
    },
    stop: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
  return server;
}

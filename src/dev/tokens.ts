import { randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Role } from '../contract/identifiers.js';

const hmac = { name: 'HMAC', hash: 'SHA-256' };

/** Of a session. */
export interface PartyTokens {
  trainer: string;
  student: string;
}

export interface ReadyTokens extends PartyTokens {
  admin: string;
}

/** Signs tokens with a secret of its own, or with a deployment's. */
export class TokenIssuer {
  readonly secret: string;
  #key: ReturnType<typeof crypto.subtle.importKey> | undefined;

  constructor(secret = randomBytes(32).toString('hex')) {
    this.secret = secret;
  }

  async issue(userId: string, role: Role): Promise<string> {
    // Imported once: a load test needs tens of thousands of tokens.
    this.#key ??= crypto.subtle.importKey('raw', new TextEncoder().encode(this.secret), hmac, false, [
      'sign',
    ]);
    return new SignJWT({ role })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(userId)
      .setIssuedAt()
      .setExpirationTime('12h')
      .sign(await this.#key);
  }

  async issueFor({ trainerId, studentId }: { trainerId: string; studentId: string }): Promise<PartyTokens> {
    const trainer = await this.issue(trainerId, 'trainer');
    return { trainer, student: await this.issue(studentId, 'student') };
  }
}

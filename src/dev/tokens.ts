import { randomBytes, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Role } from '../contract/identifiers.js';

export interface ReadyTokens {
  trainer: string;
  student: string;
  admin: string;
}

/** Signs tokens with a secret that is new in each run, so that no token outlives it. */
export class TokenIssuer {
  readonly secret = randomBytes(32).toString('hex');

  issue(userId: string, role: Role): Promise<string> {
    return new SignJWT({ role })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(userId)
      .setIssuedAt()
      .setExpirationTime('12h')
      .sign(new TextEncoder().encode(this.secret));
  }

  async issueFor({ trainerId, studentId }: { trainerId: string; studentId: string }): Promise<ReadyTokens> {
    const [trainer, student, admin] = await Promise.all([
      this.issue(trainerId, 'trainer'),
      this.issue(studentId, 'student'),
      this.issue(randomUUID(), 'admin'),
    ]);
    return { trainer, student, admin };
  }
}

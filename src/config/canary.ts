import { z } from 'zod';
import { url } from './fields.js';

const token = () => z.string({ error: 'must be a token' }).min(1, 'must be a token');

const Environment = z.object({
  CANARY_URL: url(['http:', 'https:'], 'https://journeys.example.com'),
  CANARY_SESSION_ID: z.guid({ error: 'must be the id of a session' }),
  CANARY_TRAINER_TOKEN: token(),
  CANARY_STUDENT_TOKEN: token(),
});

export interface CanaryConfig {
  /** Without /api/v1/admin. */
  baseUrl: string;
  /** A session of the canary alone. */
  sessionId: string;
  /** Of the session's trainer and student. */
  trainerToken: string;
  studentToken: string;
}

/** The message names every missing or invalid setting. */
export class CanaryConfigError extends Error {}

/** @throws CanaryConfigError */
export function readCanaryConfig(
  environment: Record<string, string | undefined> = process.env,
): CanaryConfig {
  const result = Environment.safeParse(environment);
  if (!result.success) {
    const problems = result.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
    throw new CanaryConfigError(
      ['The canary cannot start. Missing or invalid settings:', ...problems].join('\n  '),
    );
  }
  const { CANARY_URL, CANARY_SESSION_ID, CANARY_TRAINER_TOKEN, CANARY_STUDENT_TOKEN } = result.data;
  return {
    baseUrl: CANARY_URL,
    sessionId: CANARY_SESSION_ID.toLowerCase(),
    trainerToken: CANARY_TRAINER_TOKEN,
    studentToken: CANARY_STUDENT_TOKEN,
  };
}

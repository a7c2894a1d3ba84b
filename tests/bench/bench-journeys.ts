import { createHash } from 'node:crypto';

export interface BenchJourney {
  sessionId: string;
  trainerId: string;
  studentId: string;
}

/** The student's home; the positions of the load are 550 m from it. */
export const home = { latitude: 12.9666, longitude: 77.5945 };

/** Production's interval between two updates of a trainer. */
export const UPDATE_INTERVAL_MS = 5_000;

/** Ids as random as real ones and the same in every process, so that no list has to be passed on. */
export function journeyAt(index: number): BenchJourney {
  const digest = createHash('sha512').update(`journey ${index}`).digest('hex');
  const uuid = (from: number) => {
    const part = (start: number, end: number) => digest.slice(from + start, from + end);
    return `${part(0, 8)}-${part(8, 12)}-4${part(13, 16)}-a${part(17, 20)}-${part(20, 32)}`;
  };
  return { sessionId: uuid(0), trainerId: uuid(32), studentId: uuid(64) };
}

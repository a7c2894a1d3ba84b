import type { MapSession } from '../map-session.js';

export interface Names {
  trainer: string;
  student: string;
  place: string;
}

interface Ids {
  sessionId: string;
  trainerId: string | null;
  studentId: string | null;
}

/** Names for ids, which the service does not know; an app of the platform has its own. */
export class Directory {
  readonly #sessions: ReadonlyMap<string, MapSession>;

  constructor(sessions: readonly MapSession[]) {
    this.#sessions = new Map(sessions.map((session) => [session.id, session]));
  }

  session(id: string): MapSession | undefined {
    return this.#sessions.get(id);
  }

  names({ sessionId, trainerId, studentId }: Ids): Names {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) {
      return { trainer: short(trainerId), student: short(studentId), place: `session ${short(sessionId)}` };
    }
    const you = session.isFree ? ' (you)' : '';
    return { trainer: session.trainerName + you, student: session.studentName, place: session.place };
  }
}

function short(id: string | null): string {
  return id === null ? 'unknown' : `${id.slice(0, 8)}…`;
}

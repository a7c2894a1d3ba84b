import type { GeoPoint } from '../simulation/places.js';

/** A session that the service knows, with tokens for both sides. */
export interface LoadSession {
  sessionId: string;
  trainerToken: string;
  studentToken: string;
  home: GeoPoint;
  /** Direction of the streets there, degrees clockwise from north. */
  streetAngle: number;
  /** An earlier run may have left a journey of this session active. */
  mayBeActive: boolean;
}

/** Sessions without a journey; the one that was returned first is taken first. */
export class IdleSessions {
  readonly #sessions: LoadSession[];
  readonly #waiters: ((session: LoadSession) => void)[] = [];

  constructor(sessions: readonly LoadSession[]) {
    this.#sessions = [...sessions];
  }

  /** Resolves when there is one. */
  take(): Promise<LoadSession> {
    const session = this.#sessions.shift();
    return session ? Promise.resolve(session) : new Promise((resolve) => this.#waiters.push(resolve));
  }

  giveBack(session: LoadSession): void {
    const waiter = this.#waiters.shift();
    if (waiter) waiter(session);
    else this.#sessions.push(session);
  }
}

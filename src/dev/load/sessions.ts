import type { GeoPoint } from '../simulation/places.js';

/** A session that the deployment knows, and tokens that are valid there. */
export interface LoadSession {
  sessionId: string;
  trainerToken: string;
  studentToken: string;
  home: GeoPoint;
  /** Along which the streets run there, degrees clockwise from north. */
  streetAngle: number;
  /** Not of this run alone: an earlier one may have left a journey to it going. */
  mayBeUnderWay: boolean;
}

/** Sessions that no journey goes to, those that have rested longest first. */
export class IdleSessions {
  readonly #sessions: LoadSession[];
  #first = 0;

  constructor(sessions: readonly LoadSession[]) {
    this.#sessions = [...sessions];
  }

  take(): LoadSession | undefined {
    const session = this.#sessions[this.#first];
    if (session === undefined) return undefined;
    this.#first += 1;
    return session;
  }

  giveBack(session: LoadSession): void {
    this.#sessions.push(session);
  }
}

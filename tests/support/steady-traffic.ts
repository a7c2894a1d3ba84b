import { setTimeout as pause } from 'node:timers/promises';
import { metersNorth, type ASession } from './a-session.js';
import { refusal, type Answer } from './api.js';
import type { RunningService } from './running-service.js';

/** An answer that is neither a success nor a 503. */
export interface WrongAnswer {
  call: 'update' | 'live';
  sessionId: string;
  status: number;
  code: string;
  ms: number;
}

const ANSWERED_WITHIN_MS = 2_000;
const PAUSE_MS = 50;

/** Updates and polls of active journeys, one at a time for each, until stop(). */
export class SteadyTraffic {
  readonly wrong: WrongAnswer[] = [];
  readonly #service: RunningService;
  readonly #served = new Map<string, number>();
  readonly #unavailable = new Map<string, number>();
  readonly #running: Promise<void>[];
  #isStopping = false;

  constructor(service: RunningService, sessions: ASession[]) {
    this.#service = service;
    this.#running = sessions.map((session) => this.#drive(session));
  }

  /** How many calls for a session were served, by now. */
  served({ sessionId }: ASession): number {
    return this.#served.get(sessionId) ?? 0;
  }

  /** How many calls for a session got a 503, by now. */
  unavailable({ sessionId }: ASession): number {
    return this.#unavailable.get(sessionId) ?? 0;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#running);
  }

  async #drive(session: ASession): Promise<void> {
    const { sessionId, trainerToken, studentToken } = session;
    const { api } = this.#service;
    // Above the sequences of earlier traffic.
    for (let sequence = Date.now(); !this.#isStopping; sequence++) {
      const position = { sessionId, ...metersNorth(200), accuracy: 5, sequence };
      await this.#timed('update', session, () => api.update(trainerToken, position));
      await this.#timed('live', session, () => api.live(sessionId, studentToken));
      await pause(PAUSE_MS);
    }
  }

  async #timed(
    call: WrongAnswer['call'],
    { sessionId }: ASession,
    ask: () => Promise<Answer>,
  ): Promise<void> {
    const startedAt = performance.now();
    const answer = await ask();
    const ms = Math.round(performance.now() - startedAt);
    const { status, code } = refusal(answer);
    const isServed =
      call === 'update'
        ? status === 201
        : status === 200 && (answer.body['data'] as { isActive: boolean }).isActive;
    const isAway = status === 503 && answer.headers['retry-after'] !== undefined;
    const counts = isServed ? this.#served : this.#unavailable;
    if ((isServed || isAway) && ms < ANSWERED_WITHIN_MS)
      counts.set(sessionId, (counts.get(sessionId) ?? 0) + 1);
    else this.wrong.push({ call, sessionId, status, code, ms });
  }
}

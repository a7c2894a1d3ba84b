import type { NextFunction, Request, Response } from 'express';
import type { Caller } from '../journeys/journey.js';
import type { LiveOutcome } from '../live/live-state.js';
import type { LivePoll } from '../live/waiting-poll.js';
import type { Draining } from './middleware/draining.js';
import { liveResponse, matches } from './outcome-responses.js';
import { send } from './responses.js';

export interface HeldPollOptions {
  sessionId: string;
  seconds: number;
  timeoutMs: number;
  closeIfDraining: Draining;
}

/** A live poll whose response stays open until there is something to say. */
export class HeldPoll implements LivePoll {
  readonly caller: Caller;
  readonly sessionId: string;
  readonly seconds: number;
  readonly timeoutMs: number;
  readonly #req: Request;
  readonly #res: Response;
  readonly #next: NextFunction;
  readonly #closeIfDraining: Draining;

  constructor(req: Request, res: Response, next: NextFunction, options: HeldPollOptions) {
    this.caller = req.caller;
    this.sessionId = options.sessionId;
    this.seconds = options.seconds;
    this.timeoutMs = options.timeoutMs;
    this.#req = req;
    this.#res = res;
    this.#next = next;
    this.#closeIfDraining = options.closeIfDraining;
  }

  knows(version: string): boolean {
    return matches(this.#req.headers['if-none-match'], version);
  }

  answer(outcome: LiveOutcome): void {
    this.#closeIfDraining(this.#res);
    try {
      send(this.#req, this.#res, liveResponse(outcome, this.#req.headers['if-none-match'], this.seconds));
    } catch (error) {
      this.#next(error);
    }
  }

  fail(error: unknown): void {
    this.#closeIfDraining(this.#res);
    this.#next(error);
  }
}

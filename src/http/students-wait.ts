import type { Socket } from 'node:net';
import type { Request, Response } from 'express';
import type { LiveOutcome } from '../journeys/outcomes.js';
import type { Wait } from '../live/waiting-caller.js';
import { send } from './responses.js';
import type { ErrorAnswerer } from './middleware/errors.js';
import { isKnown, liveAnswer } from './outcome-responses.js';
import { RestingRequest, type RestingDependencies } from './resting-request.js';

/** What it takes to answer after the route has returned. */
export interface LaterAnswers extends RestingDependencies {
  /** The process is about to go: each answer is the last on its connection, so that none is closed under a request. */
  isDraining: () => boolean;
  answerError: ErrorAnswerer;
}

/** A live poll that is answered when there is news: its side of HTTP. */
export class StudentsWait extends RestingRequest implements Wait {
  seconds = 0;
  #ifNoneMatch: string | undefined;
  readonly #with: LaterAnswers;

  private constructor(socket: Socket, dependencies: LaterAnswers) {
    super(socket, dependencies);
    this.#with = dependencies;
  }

  static of(
    req: Request,
    res: Response,
    seconds: number,
    ifNoneMatch: string | undefined,
    dependencies: LaterAnswers,
  ): StudentsWait {
    const { socket } = req;
    const wait =
      socket.rested instanceof StudentsWait ? socket.rested : new StudentsWait(socket, dependencies);
    socket.rested = null;
    wait.begin(req, res);
    wait.seconds = seconds;
    wait.#ifNoneMatch = ifNoneMatch;
    return wait;
  }

  isKnown(version: string): boolean {
    return isKnown(this.#ifNoneMatch, version);
  }

  answer(outcome: LiveOutcome): void {
    const { req, res } = this.atWork;
    try {
      if (this.#with.isDraining()) res.shouldKeepAlive = false;
      send(req, res, liveAnswer(outcome, this.#ifNoneMatch, this.seconds));
    } catch (error) {
      this.#with.answerError(error, req, res);
    }
    this.answered();
  }

  fail(error: unknown): void {
    const { req, res } = this.atWork;
    this.#with.answerError(error, req, res);
    this.answered();
  }
}

import type { Request, Response } from 'express';
import type { LiveOutcome } from '../journey/outcomes.js';
import type { HeldPoll, Wait } from '../journey/waiting-caller.js';
import { send } from './answers.js';
import type { ErrorAnswerer } from './error-answers.js';
import { isKnown, liveAnswer } from './outcome-answers.js';

/** What it takes to answer after the route has returned. */
export interface LaterAnswers {
  /** The process is about to go: each answer is the last on its connection, so that none is closed under a request. */
  isDraining: () => boolean;
  answerError: ErrorAnswerer;
}

const NO_HEADERS = {};
const NO_RAW_HEADERS: string[] = [];

/** A live poll that is answered when there is news: its side of HTTP. */
export class StudentsWait implements Wait {
  readonly seconds: number;
  readonly #req: Request;
  readonly #res: Response;
  readonly #ifNoneMatch: string | undefined;
  readonly #with: LaterAnswers;

  constructor(
    req: Request,
    res: Response,
    seconds: number,
    ifNoneMatch: string | undefined,
    dependencies: LaterAnswers,
  ) {
    this.seconds = seconds;
    this.#req = req;
    this.#res = res;
    this.#ifNoneMatch = ifNoneMatch;
    this.#with = dependencies;
    forgetHead(req, res);
  }

  isKnown(version: string): boolean {
    return isKnown(this.#ifNoneMatch, version);
  }

  whenGone(poll: HeldPoll): void {
    if (this.#res.closed) poll.leave();
    else this.#req.held = poll;
  }

  answer(outcome: LiveOutcome): void {
    try {
      if (this.#with.isDraining()) this.#res.shouldKeepAlive = false;
      send(this.#req, this.#res, liveAnswer(outcome, this.#ifNoneMatch, this.seconds));
      forgetAnswer(this.#res);
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error: unknown): void {
    this.#with.answerError(error, this.#req, this.#res);
  }
}

/** What has been read is let go, except for what the log asks for. */
function forgetHead(req: Request, res: Response): void {
  const forwarded = req.headers['x-forwarded-for'];
  req.headers = forwarded === undefined ? NO_HEADERS : { 'x-forwarded-for': forwarded };
  req.rawHeaders = NO_RAW_HEADERS;
  // Express' own: the address' parts and parameters, the way to the routes after this one, and values for views.
  Object.assign(req, { _parsedUrl: undefined, next: undefined, params: undefined });
  Object.assign(res, { locals: undefined });
}

/**
 * What was written is let go. A response that has waited is old, and what an old object holds is kept until all of the
 * heap is collected, also where nobody holds the old one any more: with parameters and values for views, 30 % of what a
 * process with waiting students had to collect that way.
 */
function forgetAnswer(res: Response): void {
  if (res.headersSent) Object.assign(res, { _header: 'written' });
}

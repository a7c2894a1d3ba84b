import type { Logger } from 'pino';
import { WAITING_ROUTE } from '../routes.js';
import type { AnsweredRequest } from './request-context.js';

/** Successful updates and polls that are logged each second at most; all of them are in the metrics. */
const SAMPLED_LINES_PER_SECOND = 20;
const SAMPLED_ROUTES = new Set([
  '/location-tracking/journey/updates',
  '/location-tracking/journey/live',
  WAITING_ROUTE,
]);
const QUIET_ROUTES = new Set(['/health/live', '/health/ready']);

/** One line a request. At 10,000 journeys the updates and polls that went well would be 4,000 lines a second. */
export class RequestLog {
  readonly #logger: Logger;
  #second = 0;
  #linesThisSecond = 0;
  #skipped = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  answered(request: AnsweredRequest): void {
    if (request.status < 400 && !request.aborted) {
      if (QUIET_ROUTES.has(request.route) && !this.#logger.isLevelEnabled('debug')) return;
      if (SAMPLED_ROUTES.has(request.route) && this.#isOverBudget()) {
        this.#skipped++;
        return;
      }
    }
    const { requestId, method, route, status, seconds, aborted, remoteAddress } = request;
    const skipped = this.#skipped === 0 ? {} : { notLoggedBefore: this.#skipped };
    this.#skipped = 0;
    const line = {
      requestId,
      method,
      route,
      status,
      durationMs: Math.round(seconds * 1e6) / 1000,
      remoteAddress: remoteAddress(),
      ...skipped,
    };
    // A refused request is not an error; what failed inside is logged as one where it is known why.
    this.#logger.info(aborted ? { ...line, aborted } : line, 'request');
  }

  #isOverBudget(): boolean {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#linesThisSecond = 0;
    }
    return ++this.#linesThisSecond > SAMPLED_LINES_PER_SECOND;
  }
}

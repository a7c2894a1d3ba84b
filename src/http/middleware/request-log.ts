import type { Logger } from 'pino';
import type { CompletedRequest } from './request-context.js';

/** Successful updates and polls logged per second; the metrics count all of them. */
const SAMPLED_LINES_PER_SECOND = 20;

export interface RequestLogDependencies {
  logger: Logger;
  /** Frequent routes, of whose successful requests only a sample is logged. */
  sampledRoutes: ReadonlySet<string>;
  /** Routes whose successful requests are logged at debug level only. */
  quietRoutes: ReadonlySet<string>;
}

/** One line per request. */
export class RequestLog {
  readonly #dependencies: RequestLogDependencies;
  #second = 0;
  #linesThisSecond = 0;
  #skipped = 0;

  constructor(dependencies: RequestLogDependencies) {
    this.#dependencies = dependencies;
  }

  completed(request: CompletedRequest): void {
    const { requestId, method, route, status, seconds, aborted, remoteAddress } = request;
    const { sessionId, caller, errorCode } = request;
    const { logger } = this.#dependencies;
    if (status < 400 && !aborted && !this.#isLogged(route)) return;
    // A refused request is not an error; what fails inside is logged where its cause is known.
    logger.info(
      {
        requestId,
        method,
        route,
        status,
        durationMs: Math.round(seconds * 1e6) / 1000,
        ...{ sessionId, callerId: caller?.userId, role: caller?.role, errorCode },
        remoteAddress: remoteAddress(),
        ...(this.#skipped > 0 && { notLoggedBefore: this.#skipped }),
        ...(aborted && { aborted }),
      },
      'request',
    );
    this.#skipped = 0;
  }

  #isLogged(route: string): boolean {
    const { logger, sampledRoutes, quietRoutes } = this.#dependencies;
    if (quietRoutes.has(route)) return logger.isLevelEnabled('debug');
    if (!sampledRoutes.has(route)) return true;
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#linesThisSecond = 0;
    }
    if (++this.#linesThisSecond <= SAMPLED_LINES_PER_SECOND) return true;
    this.#skipped++;
    return false;
  }
}

import type { Clock } from './clock.js';
import { withinDeadline } from './deadline.js';
import { JourneyApiError } from './journey-api-error.js';

/** The caller's JWT. forceRefresh: the last one was refused. */
export type GetToken = (forceRefresh: boolean) => string | Promise<string>;

const REFRESH_WITHIN_MS = 10_000;

export interface AccessToken {
  /** @throws JourneyApiError TOKEN_UNAVAILABLE */
  current(): Promise<string>;
  /**
   * The token that replaces a refused one; all calls that had it share one refresh.
   * @throws JourneyApiError
   */
  after(rejected: string): Promise<string>;
  /** The replacement was refused too: the next call may refresh again. */
  forget(): void;
}

export function accessToken(clock: Clock, getToken: GetToken): AccessToken {
  let refused: string | undefined;
  let replacement: Promise<string> | undefined;

  const ask = async (forceRefresh: boolean) => {
    let problem: unknown = 'no token';
    try {
      const token = await getToken(forceRefresh);
      if (token) return token;
    } catch (error) {
      problem = error;
    }
    throw new JourneyApiError(0, 'TOKEN_UNAVAILABLE', `getToken: ${String(problem)}`);
  };
  const forget = () => {
    refused = undefined;
  };

  return {
    current: () => ask(false),
    after(rejected) {
      if (replacement === undefined || refused !== rejected) {
        refused = rejected;
        replacement = withinDeadline(clock, REFRESH_WITHIN_MS, undefined, () => ask(true));
        // The next call repeats a refresh that failed.
        replacement.catch(forget);
      }
      return replacement;
    },
    forget,
  };
}

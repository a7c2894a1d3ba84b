import type { Answer } from './api.js';
import { until } from './until.js';

/**
 * The first answer that is no 503, as an app gets it: for what a test sets up. Where the machine is busy otherwise, a
 * dependency may be late, which is then not what the test is about.
 */
export function served(call: () => Promise<Answer>): Promise<Answer> {
  return until('it is served', async () => {
    const answer = await call();
    return answer.status !== 503 && answer;
  });
}

import { withTimeout } from '../journeys/errors.js';
import { asFailure } from './connection.js';

export interface RedisCallOptions {
  operation: string;
  /** Named in the error where its value cannot be read. */
  key: string;
  timeoutMs: number;
  observe: (operation: string, seconds: number, succeeded: boolean) => void;
}

/** One observed call with a timeout. @throws StateUnavailableError, CorruptStateError */
export async function redisCall<T>(
  { operation, key, timeoutMs, observe }: RedisCallOptions,
  call: () => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  let succeeded = false;
  try {
    const reply = await withTimeout(timeoutMs, 'redis', call());
    succeeded = true;
    return reply;
  } catch (error) {
    throw asFailure(error, key);
  } finally {
    observe(operation, (performance.now() - startedAt) / 1000, succeeded);
  }
}

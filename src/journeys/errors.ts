import { afterLimit } from './time-limit.js';

/** A dependency did not answer in time, or not at all: the state of things is not known. */
export class StateUnavailableError extends Error {
  constructor(
    readonly dependency: 'redis' | 'postgres' | 'tokenKeys',
    cause: unknown,
  ) {
    super(`${dependency} did not answer`, { cause });
    this.name = 'StateUnavailableError';
  }
}

/** A stored value is not of its form. Names the key, never the value: it may hold a position. */
export class CorruptStateError extends Error {
  constructor(
    readonly key: string,
    cause?: unknown,
  ) {
    super(`the value at ${key} cannot be read`, { cause });
    this.name = 'CorruptStateError';
  }
}

/**
 * Settles as the work does, or fails as unavailable after the time given. The work itself goes on; whoever waits for it
 * does not.
 * @throws StateUnavailableError
 */
export function withTimeout<T>(
  ms: number,
  dependency: StateUnavailableError['dependency'],
  work: Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = afterLimit(ms, () => {
      reject(new StateUnavailableError(dependency, `no answer within ${Math.round(ms)} ms`));
    });
    work.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}

/** A dependency did not answer in time, or not at all: the state is unknown. */
export class StateUnavailableError extends Error {
  constructor(
    readonly dependency: 'redis' | 'postgres' | 'tokenKeys',
    cause: unknown,
  ) {
    super(`${dependency} did not answer`, { cause });
    this.name = 'StateUnavailableError';
  }
}

/** A stored value cannot be parsed. Names the key, never the value: it may contain a position. */
export class CorruptStateError extends Error {
  constructor(
    readonly key: string,
    cause?: unknown,
  ) {
    super(`the value at ${key} cannot be read`, { cause });
    this.name = 'CorruptStateError';
  }
}

/** A timer this late has expired while the event loop was busy, so what arrived has not been read yet. */
const LATE_MS = 20;

/**
 * Settles as the work does, or rejects after `ms` milliseconds. The work itself continues. While the process is busy the
 * time starts anew, because the delay is not the dependency's.
 * @throws StateUnavailableError
 */
export async function withTimeout<T>(
  ms: number,
  dependency: StateUnavailableError['dependency'],
  work: Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    let dueMs = performance.now() + ms;
    timer = setTimeout(() => {
      if (performance.now() - dueMs > LATE_MS) {
        dueMs = performance.now() + ms;
        timer?.refresh();
        return;
      }
      reject(new StateUnavailableError(dependency, `no answer within ${Math.round(ms)} ms`));
    }, ms);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

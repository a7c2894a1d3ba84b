import { JourneyApi, JourneyApiError, StudentWatcher, TrainerTracker } from '../client/index.js';
import type { CanaryConfig } from '../config/canary.js';

export type CanaryStep = 'start' | 'update' | 'live' | 'stop' | 'ended';

export type CanaryResult =
  { kind: 'passed'; seconds: number } | { kind: 'failed'; seconds: number; step: CanaryStep; reason: string };

/** At sea; in degrees and metres. The same each time, so that a journey that was left running goes on plausibly. */
const POSITION = { coords: { latitude: 1, longitude: 1, accuracy: 5 } };
/** For the stop after a failure. */
const CLEAN_UP_MS = 3_000;

/**
 * Makes one journey as the apps do: the trainer starts it and sends a position, the student sees it, the trainer stops
 * it, the student sees the end. The SDK's retries count as long as they succeed within `timeoutMs`.
 */
export async function canaryJourney(config: CanaryConfig, timeoutMs: number): Promise<CanaryResult> {
  const { baseUrl, sessionId, trainerToken, studentToken } = config;
  const apiOf = (token: string) => new JourneyApi({ baseUrl, getToken: () => token });
  const tracker = new TrainerTracker({ api: apiOf(trainerToken), sessionId });
  const watcher = new StudentWatcher({ api: apiOf(studentToken), sessionId });
  const startedAtMs = performance.now();
  const seconds = () => Math.round(performance.now() - startedAtMs) / 1_000;
  const progress: Progress = { step: 'start', lastError: undefined };
  const noteError = ({ error }: { error: JourneyApiError }) => {
    progress.lastError = error;
  };
  tracker.on('retrying', noteError);
  watcher.on('retrying', noteError);
  try {
    await within(timeoutMs, makeJourney(tracker, watcher, progress));
    return { kind: 'passed', seconds: seconds() };
  } catch (error) {
    const reason = describe(error, progress.lastError);
    const result = { kind: 'failed', seconds: seconds(), step: progress.step, reason } as const;
    await within(CLEAN_UP_MS, tracker.stop()).catch(() => undefined);
    return result;
  } finally {
    tracker.close();
    watcher.close();
  }
}

interface Progress {
  step: CanaryStep;
  lastError: JourneyApiError | undefined;
}

async function makeJourney(
  tracker: TrainerTracker,
  watcher: StudentWatcher,
  progress: Progress,
): Promise<void> {
  await tracker.start();
  progress.step = 'update';
  const outcome = await tracker.push(POSITION);
  const { lastSent, lastError } = tracker.tracked;
  if (outcome !== 'sent' || lastSent === null) throw lastError ?? new Error(`the position was ${outcome}`);
  progress.step = 'live';
  watcher.start();
  await untilWatched(watcher, ({ position }) => position?.sequence === lastSent.sequence);
  progress.step = 'stop';
  await tracker.stop();
  progress.step = 'ended';
  await untilWatched(watcher, ({ ended }) => ended?.reason === 'cancelled');
}

/** @throws JourneyApiError if the watcher ends before that for another reason than the journey's end */
function untilWatched(
  watcher: StudentWatcher,
  condition: (watched: StudentWatcher['watched']) => boolean,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const check = () => {
      const { ended } = watcher.watched;
      if (condition(watcher.watched)) resolve();
      else if (ended !== null) reject(ended.error ?? new Error(`the journey ended: ${ended.reason}`));
      else return;
      stopListening();
    };
    const stopListening = watcher.on('change', check);
    check();
  });
}

class TimeoutError extends Error {}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new TimeoutError(`not within ${ms} ms`));
    }, ms);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function describe(error: unknown, lastError: JourneyApiError | undefined): string {
  const cause = error instanceof TimeoutError && lastError !== undefined ? lastError : error;
  if (cause instanceof JourneyApiError) return `${cause.status} ${cause.code}`;
  return cause instanceof Error ? cause.message : String(cause);
}

import { type EndedBecause, type JourneyApiError } from './journey-api-error.js';
import type { JourneyApi, RepeatableOptions } from './journey-api.js';

/** A journey that this phone tracks from now on. Times by the service's clock. */
export interface Joined {
  startedAt: string;
  expiresAt: string;
  /** The journey was active already: from before a restart of the app, or started on another phone. */
  wasRunning: boolean;
  /** The present or earlier. */
  serverTime: string;
  /** Null: none yet; undefined: unknown. */
  lastSequence: number | null | undefined;
}

export interface StoppedJourney {
  sessionId: string;
  /** When it ended; null if that was some time ago. */
  stoppedAt: string | null;
}

/** @throws JourneyApiError */
export async function startOrJoin(
  api: JourneyApi,
  sessionId: string,
  options: RepeatableOptions,
): Promise<Joined> {
  try {
    const { startedAt, expiresAt } = await api.start(sessionId, options);
    return { startedAt, expiresAt, wasRunning: false, serverTime: startedAt, lastSequence: null };
  } catch (thrown) {
    const { code, details } = thrown as JourneyApiError;
    if (code !== 'JOURNEY_ALREADY_ACTIVE') throw thrown;
    const running = details as unknown as Pick<Joined, 'startedAt' | 'expiresAt' | 'lastSequence'>;
    return { ...running, wasRunning: true, serverTime: running.startedAt };
  }
}

/** Null: no journey is active. @throws JourneyApiError */
export async function joinRunning(
  api: JourneyApi,
  sessionId: string,
  { signal }: RepeatableOptions,
): Promise<Joined | null> {
  const { journey } = await api.live(sessionId, { signal });
  if (!journey?.isActive) return null;
  const { location } = journey;
  const { startedAt, expiresAt } = journey as Pick<Joined, 'startedAt' | 'expiresAt'>;
  const serverTime = location?.timestamp ?? startedAt;
  // Without a position there may have been one that has expired.
  return { startedAt, expiresAt, wasRunning: true, serverTime, lastSequence: location?.sequence };
}

/** A journey that has ended already is stopped too. @throws JourneyApiError */
export async function stopOrEnded(
  api: JourneyApi,
  sessionId: string,
  options: RepeatableOptions,
): Promise<StoppedJourney & { reason: EndedBecause }> {
  try {
    return { ...(await api.stop(sessionId, options)), reason: 'cancelled' };
  } catch (thrown) {
    const error = thrown as JourneyApiError;
    if (error.code !== 'JOURNEY_ENDED' && error.code !== 'JOURNEY_NOT_ACTIVE') throw error;
    const reason = (error.detail('reason') ?? 'unknown') as EndedBecause;
    return { sessionId, stoppedAt: (error.detail('endedAt') ?? null) as string | null, reason };
  }
}

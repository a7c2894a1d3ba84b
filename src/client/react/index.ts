/** The entry `@admin-service/client/react`. */
import { useCallback, useEffect, useMemo, useSyncExternalStore } from 'react';
import type { JourneyApi } from '../journey-api.js';
import { StudentWatcher } from '../student-watcher.js';
import { nothingTracked } from '../tracked.js';
import type { Tracked } from '../tracker-events.js';
import type { TrainerTracker } from '../trainer-tracker.js';
import type { Watched } from '../watched.js';

const nothingWatched: Watched = {
  state: 'waiting',
  position: null,
  ageMs: null,
  uncertaintyMeters: null,
  etaSeconds: null,
  etaLowSeconds: null,
  etaHighSeconds: null,
  trainerProblem: null,
  stillSeconds: null,
  journey: null,
  ended: null,
};
const nothing = () => undefined;

export interface LiveJourneyOptions {
  /** The app is in the background: polls at most twice a minute. Default: false. */
  background?: boolean | undefined;
}

/**
 * Follows the session's journey while the component is mounted; null: none yet. Pass the app's one JourneyApi; with another
 * object the watching begins anew.
 */
export function useLiveJourney(
  api: JourneyApi,
  sessionId: string | null,
  { background = false }: LiveJourneyOptions = {},
): Watched {
  const watcher = useMemo(
    () => (sessionId === null ? null : new StudentWatcher({ api, sessionId })),
    [api, sessionId],
  );
  const subscribe = useCallback(
    (changed: () => void) => {
      if (watcher === null) return nothing;
      const unsubscribe = watcher.on('change', changed);
      watcher.start();
      return () => {
        unsubscribe();
        watcher.close();
      };
    },
    [watcher],
  );
  const watched = () => watcher?.watched ?? nothingWatched;
  useEffect(() => {
    watcher?.setBackground(background);
  }, [watcher, background]);
  return useSyncExternalStore(subscribe, watched, watched);
}

/**
 * Shows what a tracker does; null: there is none yet. The tracker is the app's own, because it goes on while no screen of the
 * journey is mounted: the hook neither starts nor closes it.
 */
export function useTrainerTracker(tracker: TrainerTracker | null): Tracked {
  const subscribe = useCallback(
    (changed: () => void) => tracker?.on('change', changed) ?? nothing,
    [tracker],
  );
  const tracked = () => tracker?.tracked ?? nothingTracked;
  return useSyncExternalStore(subscribe, tracked, tracked);
}

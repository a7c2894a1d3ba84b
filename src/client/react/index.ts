/** The entry `@admin-service/client/react`. */
import { useCallback, useEffect, useMemo, useSyncExternalStore } from 'react';
import type { JourneyApi } from '../journey-api.js';
import { StudentWatcher } from '../student-watcher.js';
import type { Watched } from '../watched.js';

const nothingWatched: Watched = {
  state: 'waiting',
  position: null,
  ageMs: null,
  uncertaintyMeters: null,
  etaSeconds: null,
  etaLowSeconds: null,
  etaHighSeconds: null,
  journey: null,
};

/**
 * Follows a session's journey while the component is mounted; null follows none. Use one JourneyApi per app: another object
 * is another watcher. background: whether the app is in the background, where it polls at most twice a minute.
 */
export function useLiveJourney(
  api: JourneyApi,
  sessionId: string | null,
  { background = false }: { background?: boolean } = {},
): Watched {
  const watcher = useMemo(
    () => (sessionId === null ? null : new StudentWatcher({ api, sessionId })),
    [api, sessionId],
  );
  const subscribe = useCallback(
    (changed: () => void) => {
      const unsubscribe = watcher?.on('change', changed);
      watcher?.start();
      return () => {
        unsubscribe?.();
        watcher?.close();
      };
    },
    [watcher],
  );
  const snapshot = () => watcher?.watched ?? nothingWatched;
  const watched = useSyncExternalStore(subscribe, snapshot, snapshot);
  useEffect(() => {
    watcher?.setBackground(background);
  }, [watcher, background]);
  return watched;
}

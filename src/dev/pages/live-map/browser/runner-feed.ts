import type { MapEvent, MapSettings } from '../map-session.js';

export interface RunnerFeedListeners {
  onEvent: (event: MapEvent) => void;
  /** Whether npm run dev answers; true also after a reconnect, when events may have been missed. */
  onReach: (isThere: boolean) => void;
}

export async function readSettings(): Promise<MapSettings> {
  const response = await fetch('/live-map/settings');
  return (await response.json()) as MapSettings;
}

const AGAIN_AFTER_MS = 1_000;

/** Follows the events of the bus; the browser reconnects on its own where nothing answers. */
export function followRunner(runId: string, listeners: RunnerFeedListeners): void {
  const { onEvent, onReach } = listeners;
  const feed = new EventSource('/live-map/events');
  feed.addEventListener('message', ({ data }) => {
    onEvent(JSON.parse(String(data)) as MapEvent);
  });
  feed.addEventListener('error', () => {
    onReach(false);
    // While npm run dev starts it answers 404, and then a browser does not reconnect.
    if (feed.readyState !== EventSource.CLOSED) return;
    setTimeout(() => {
      followRunner(runId, listeners);
    }, AGAIN_AFTER_MS);
  });
  feed.addEventListener('open', () => {
    readSettings().then(
      (settings) => {
        // A new run has other tokens and sessions.
        if (settings.runId === runId) onReach(true);
        else location.reload();
      },
      () => {
        // The feed reconnects.
      },
    );
  });
}

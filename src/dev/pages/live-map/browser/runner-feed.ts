import type { MapEvent, MapSettings } from '../map-session.js';

export interface RunnerFeedListeners {
  onEvent: (event: MapEvent) => void;
  /** Whether the runner answers; true also when it came back, and something may have been missed. */
  onReach: (isThere: boolean) => void;
}

export async function readSettings(): Promise<MapSettings> {
  const response = await fetch('/live-map/settings');
  return (await response.json()) as MapSettings;
}

const AGAIN_AFTER_MS = 1_000;

/** The bus' events as the runner passes them on; the browser itself connects anew where nothing answers. */
export function followRunner(runId: string, listeners: RunnerFeedListeners): void {
  const { onEvent, onReach } = listeners;
  const feed = new EventSource('/live-map/events');
  feed.addEventListener('message', ({ data }) => {
    onEvent(JSON.parse(String(data)) as MapEvent);
  });
  feed.addEventListener('error', () => {
    onReach(false);
    // A runner that is starting answers before it has this feed, and on such an answer a browser gives up.
    if (feed.readyState !== EventSource.CLOSED) return;
    setTimeout(() => {
      followRunner(runId, listeners);
    }, AGAIN_AFTER_MS);
  });
  feed.addEventListener('open', () => {
    readSettings().then(
      (settings) => {
        // Another run has other tokens and sessions.
        if (settings.runId === runId) onReach(true);
        else location.reload();
      },
      () => {
        // Gone again already: the feed notices, and comes back as before.
      },
    );
  });
}

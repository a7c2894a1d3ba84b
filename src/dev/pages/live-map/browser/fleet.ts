import { JourneyApi, StudentWatcher, type Watched } from '../../../../client/index.js';
import type { MapSession } from '../map-session.js';

/** A browser has six connections per host, and the phones need them for waiting. */
const withoutWaiting: typeof fetch = (input, init = {}) => {
  const headers = new Headers(init.headers);
  headers.delete('Prefer');
  return fetch(input, { ...init, headers });
};

/** Follows all active journeys by polling. */
export class Fleet {
  readonly #serviceUrl: string;
  readonly #onWatched: (session: MapSession, watched: Watched) => void;
  readonly #watchers = new Map<string, StudentWatcher>();

  constructor(serviceUrl: string, onWatched: (session: MapSession, watched: Watched) => void) {
    this.#serviceUrl = serviceUrl;
    this.#onWatched = onWatched;
  }

  follow(session: MapSession): void {
    if (this.#watchers.has(session.id)) return;
    const api = new JourneyApi({
      baseUrl: this.#serviceUrl,
      getToken: () => session.studentToken,
      fetch: withoutWaiting,
    });
    const watcher = new StudentWatcher({ api, sessionId: session.id });
    this.#watchers.set(session.id, watcher);
    watcher.on('change', (watched) => {
      // Not followed any more.
      if (this.#watchers.get(session.id) !== watcher) return;
      this.#onWatched(session, watched);
      // Not started: an event will announce the start.
      if (watched.state === 'waiting' && watched.journey?.isActive === false) this.leave(session.id);
    });
    watcher.on('ended', () => this.#watchers.delete(session.id));
    watcher.start();
  }

  leave(sessionId: string): void {
    const watcher = this.#watchers.get(sessionId);
    this.#watchers.delete(sessionId);
    watcher?.close();
  }
}

import { JourneyApi, StudentWatcher, type Watched } from '../../../../client/index.js';
import type { MapSession } from '../map-session.js';

/** A browser has six connections to one service; the phones need them more. */
const withoutWaiting: typeof fetch = (input, init = {}) => {
  const headers = new Headers(init.headers);
  headers.delete('Prefer');
  return fetch(input, { ...init, headers });
};

/** All journeys that are on, each followed as its student would, but by polling. */
export class Fleet {
  readonly #serviceUrl: string;
  readonly #onWatched: (session: MapSession, watched: Watched) => void;
  readonly #watchers = new Map<string, StudentWatcher>();

  constructor(serviceUrl: string, onWatched: (session: MapSession, watched: Watched) => void) {
    this.#serviceUrl = serviceUrl;
    this.#onWatched = onWatched;
  }

  /** From now on; of one that is followed already nothing changes. */
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
      // It was left: that says nothing of the journey.
      if (this.#watchers.get(session.id) !== watcher) return;
      this.#onWatched(session, watched);
      // Nobody is on the way: its start will be told by an event.
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

import { LRUCache } from 'lru-cache';
import type { JourneyHistories, WatchMark } from '../journeys/journey-history.js';

/** Bounds the memory; beyond it a journey is marked more often. */
const MAX_REMEMBERED = 20_000;
const MARK_EVERY_MS = 30_000;

/** Marks for support that a student watches, or is refused to: per journey and process at most once in 30 s. */
export class WatchMarks {
  readonly #histories: Pick<JourneyHistories, 'markWatched'>;
  readonly #marked = new LRUCache<string, true>({ max: MAX_REMEMBERED, ttl: MARK_EVERY_MS });

  constructor(histories: Pick<JourneyHistories, 'markWatched'>) {
    this.#histories = histories;
  }

  /** Never slows or fails the poll. */
  mark(sessionId: string, mark: WatchMark): void {
    const key = mark === 'watched' ? sessionId : `${sessionId} ${mark}`;
    if (this.#marked.has(key)) return;
    this.#marked.set(key, true);
    this.#histories.markWatched(sessionId, mark).catch(() => undefined);
  }
}

import type {
  Ended,
  StudentWatcher,
  TrackerEvents,
  TrainerTracker,
  Watched,
} from '../../src/client/index.js';

export interface TrackerRecord {
  states: string[];
  sent: TrackerEvents['sent'][];
  dropped: TrackerEvents['dropped'][];
  refused: TrackerEvents['refused'][];
  retrying: TrackerEvents['retrying'][];
  ended: Ended[];
}

/** All that a tracker tells. */
export function recordTracker(tracker: TrainerTracker): TrackerRecord {
  const record: TrackerRecord = { states: [], sent: [], dropped: [], refused: [], retrying: [], ended: [] };
  tracker.on('state', (state) => record.states.push(state));
  tracker.on('sent', (event) => record.sent.push(event));
  tracker.on('dropped', (event) => record.dropped.push(event));
  tracker.on('refused', (event) => record.refused.push(event));
  tracker.on('retrying', (event) => record.retrying.push(event));
  tracker.on('ended', (event) => record.ended.push(event));
  return record;
}

export interface WatcherRecord {
  changes: Watched[];
  /** The states one after the other, each once. */
  states: string[];
  ended: (Ended & { endedAt?: string | undefined })[];
}

export function recordWatcher(watcher: StudentWatcher): WatcherRecord {
  const record: WatcherRecord = { changes: [], states: [], ended: [] };
  watcher.on('change', (watched) => {
    record.changes.push(watched);
    if (record.states.at(-1) !== watched.state) record.states.push(watched.state);
  });
  watcher.on('ended', (event) => record.ended.push(event));
  return record;
}

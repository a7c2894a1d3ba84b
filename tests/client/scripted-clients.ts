import {
  StudentWatcher,
  TrainerTracker,
  type Ended,
  type JourneyApiOptions,
  type TrackerEvents,
  type Watched,
} from '../../src/client/index.js';
import type { FakeScript } from '../../src/client/testing/fake-network.js';
import { ScriptedService } from './scripted-service.js';

/** A tracker that is not started yet. */
export function aTracker(script?: FakeScript, options?: Partial<JourneyApiOptions>) {
  const service: ScriptedService = new ScriptedService(script, options);
  const tracker = new TrainerTracker(service);
  return { service, tracker, record: recordTracker(tracker), clock: service.clock };
}

/** A tracker of a running journey, with a script for its updates. */
export async function tracking(script?: FakeScript, options?: Partial<JourneyApiOptions>) {
  const made = aTracker(
    (call, earlier) => (call.kind === 'update' ? script?.(call, earlier) : undefined),
    options,
  );
  await made.tracker.start();
  return made;
}

/** A watcher that has been started. */
export function watching(
  script?: (service: ScriptedService) => FakeScript,
  options?: Partial<JourneyApiOptions>,
) {
  const service: ScriptedService = new ScriptedService(
    (call, earlier) => script?.(service)(call, earlier),
    options,
  );
  const watcher = new StudentWatcher(service);
  const record = recordWatcher(watcher);
  watcher.start();
  return { service, watcher, record, clock: service.clock };
}

export function recordTracker(tracker: TrainerTracker) {
  const record = {
    states: [] as TrackerEvents['state'][],
    problems: [] as TrackerEvents['problem'][],
    sent: [] as TrackerEvents['sent'][],
    dropped: [] as TrackerEvents['dropped'][],
    refused: [] as TrackerEvents['refused'][],
    retrying: [] as TrackerEvents['retrying'][],
    ended: [] as Ended[],
  };
  tracker.on('state', (state) => record.states.push(state));
  tracker.on('problem', (problem) => record.problems.push(problem));
  for (const name of ['sent', 'dropped', 'refused', 'retrying', 'ended'] as const) {
    tracker.on(name, (event) => (record[name] as (typeof event)[]).push(event));
  }
  return record;
}

export function recordWatcher(watcher: StudentWatcher) {
  const record = {
    changes: [] as Watched[],
    /** Each state once in a row. */
    states: [] as string[],
    ended: [] as (Ended & { endedAt?: string | undefined })[],
  };
  watcher.on('change', (watched) => {
    record.changes.push(watched);
    if (record.states.at(-1) !== watched.state) record.states.push(watched.state);
  });
  watcher.on('ended', (event) => record.ended.push(event));
  return record;
}

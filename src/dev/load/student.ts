import type { Pool } from 'undici';
import { JourneyApi, StudentWatcher } from '../../client/index.js';
import type { LiveJourney } from '../../contract/responses.js';
import type { Checked } from './answer-check.js';
import type { Random } from '../simulation/random.js';
import { openConnection } from './connections.js';
import type { Recorder } from './recorder.js';
import { phoneFetch, type PhoneCall } from './phone-network.js';
import type { LoadSession } from './sessions.js';

export interface JourneyDependencies {
  url: URL;
  pool: Pool;
  recorder: Recorder;
  random: Random;
  watch: 'poll' | 'wait';
}

export interface SentUpdate {
  sentAtMs: number;
  fixAtMs: number;
}

/** What the simulator knows of the trainer, to compare with what the student is shown. */
export interface WatchedTrainer {
  /** Neither ended nor about to end. */
  isDriving(): boolean;
  /** When the end was confirmed, by performance.now(); Infinity before. */
  overAtMs(): number;
  /** When the trainer is at the door; undefined: never, the journey will be cancelled. */
  arrivesAtMs(): number | undefined;
  update(sequence: number): SentUpdate | undefined;
}

/** A student opens the app some time after the start. */
const opensWithinMs = 4_000;

/** A student's phone with the SDK of the apps. */
export class Student {
  /** Resolves when the student does not look any more. */
  readonly left: Promise<void>;
  readonly #trainer: WatchedTrainer;
  readonly #with: JourneyDependencies;
  readonly #watcher: StudentWatcher;
  #newestSeen = -1;

  constructor(session: LoadSession, trainer: WatchedTrainer, dependencies: JourneyDependencies) {
    const { url, pool, recorder, random, watch } = dependencies;
    this.#trainer = trainer;
    this.#with = dependencies;
    const own = watch === 'wait' ? openConnection(url) : undefined;
    const fetch = phoneFetch({
      dispatcher: own ?? pool,
      mayWait: watch === 'wait',
      sessionId: session.sessionId,
      recorder,
      expects: () => false,
      answered: (call, checked) => {
        this.#seen(call, checked);
      },
    });
    const getToken = () => session.studentToken;
    const api = new JourneyApi({ baseUrl: url.origin, getToken, fetch, random });
    this.#watcher = new StudentWatcher({ api, sessionId: session.sessionId });
    this.left = new Promise((resolve) => {
      this.#watcher.on('ended', () => {
        void own?.destroy();
        resolve();
      });
    });
    setTimeout(() => {
      this.#watcher.start();
    }, random() * opensWithinMs);
  }

  leave(): void {
    this.#watcher.close();
  }

  #seen({ sentAtMs }: PhoneCall, checked: Checked): void {
    if (checked.kind !== 'success' && checked.kind !== 'unchanged') return;
    const live = checked.kind === 'success' ? (checked.data as LiveJourney) : undefined;
    if (sentAtMs > this.#trainer.overAtMs()) {
      if (live?.isActive !== false) this.#with.recorder.fault('live: an ended journey is shown as active');
      // The SDK waits for a start when its first answer is that of an ended journey.
      this.leave();
      return;
    }
    if (live === undefined) return;
    if (!live.isActive) {
      if (this.#trainer.isDriving()) this.#with.recorder.fault('live: an active journey is shown as ended');
      return;
    }
    const nowMs = performance.now();
    if (live.location?.sequence !== undefined) this.#seenPosition(live.location.sequence, nowMs);
    const arrivesAtMs = this.#trainer.arrivesAtMs();
    if (arrivesAtMs !== undefined) {
      this.#with.recorder.phase.compareEta(live, Math.max(0, arrivesAtMs - nowMs) / 1_000);
    }
  }

  #seenPosition(sequence: number, nowMs: number): void {
    const { recorder } = this.#with;
    if (sequence < this.#newestSeen) recorder.fault('live: an older position is shown after a newer one');
    if (sequence <= this.#newestSeen) return;
    this.#newestSeen = sequence;
    const update = this.#trainer.update(sequence);
    if (update === undefined) return;
    recorder.phase.ageSinceSent.add(nowMs - update.sentAtMs);
    recorder.phase.ageSinceFix.add(nowMs - update.fixAtMs);
  }
}

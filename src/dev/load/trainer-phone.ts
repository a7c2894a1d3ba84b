import { randomUUID } from 'node:crypto';
import type { ErrorCode } from '../../contract/errors.js';
import type { JourneyPlan } from '../simulation/journey-plan.js';
import { between, type Range } from '../simulation/random.js';
import type { Reading } from './answers.js';
import { retryMs, sessionPath, type PhoneDependencies } from './phone.js';
import { PositionBeat } from './position-beat.js';
import type { LoadSession } from './sessions.js';
import { Timer } from './timer-wheel.js';

export type JourneyEnd = 'arrived' | 'cancelled' | 'stoppedAtEnd' | 'lost' | 'neverStarted';

export interface TrainerListener {
  started(): void;
  ended(how: JourneyEnd): void;
}

/** How long after the first position at the door the trainer says so. */
const tapMs: Range = [300, 1_500];
const longestUntilFirstMs = 1_000;

/** The trainer's app, from the start of a journey to its end. */
export class TrainerPhone {
  readonly #session: LoadSession;
  readonly #plan: JourneyPlan;
  readonly #with: PhoneDependencies;
  readonly #listener: TrainerListener;
  readonly #beat: PositionBeat;
  /** What the phone does next apart from positions. */
  #next: (dueMs: number) => void = () => undefined;
  readonly #timer = new Timer((dueMs) => {
    this.#next(dueMs);
  });
  #state: 'new' | 'driving' | 'ending' | 'over' = 'new';
  #arrivesMs: number | undefined;
  /** A start got no answer, and may have happened. */
  #mayHaveStarted = false;
  /** An end that got no answer, and may have happened. */
  #endTried: { how: JourneyEnd; key: string } | undefined;

  constructor(
    session: LoadSession,
    plan: JourneyPlan,
    dependencies: PhoneDependencies,
    listener: TrainerListener,
  ) {
    this.#session = session;
    this.#plan = plan;
    this.#with = dependencies;
    this.#listener = listener;
    this.#beat = new PositionBeat(session, plan.drive, dependencies, {
      reachedEnd: () => {
        this.#arrive();
      },
      journeyIsGone: () => {
        this.#over('lost');
      },
    });
  }

  /** When the trainer will be at the door, by performance.now(); undefined: never, this one gives up on the way. */
  get arrivesMs(): number | undefined {
    return this.#arrivesMs;
  }

  /** The service has been told that the journey is over, or has lost it. */
  get isOver(): boolean {
    return this.#state === 'over';
  }

  /** From now on the student may hear of the end. */
  get isEnding(): boolean {
    return this.#state === 'ending' || this.#state === 'over';
  }

  fixTimeMs(sequence: number): number | undefined {
    return this.#beat.fixTimeMs(sequence);
  }

  /** @param drivenMs how much of the drive is done already when the journey starts */
  start(dueMs: number, drivenMs: number, key: string = randomUUID()): void {
    const again = (atMs: number) => {
      this.#at(atMs, (nextMs) => {
        this.start(nextMs, drivenMs, key);
      });
    };
    this.#call('start', 'start-journey', dueMs, key, (reading) => {
      if (reading.kind === 'done') this.#drive(drivenMs, reading.data.nextUpdateMs);
      else if (isActiveAlready(reading) && this.#session.mayBeUnderWay) this.#startOver(drivenMs);
      else if (isFinal(reading)) this.#over('neverStarted');
      else {
        this.#mayHaveStarted = true;
        again(performance.now() + retryTimeMs(reading));
      }
    });
  }

  /** Stops a journey that goes on. */
  stop(dueMs: number): void {
    if (this.#state === 'driving' || this.#state === 'ending') this.#end('stop', 'stoppedAtEnd', dueMs);
    else if (this.#mayHaveStarted) {
      this.#call('stop', 'stop-journey', dueMs, randomUUID(), () => {
        this.#over('neverStarted');
      });
    } else this.#over('neverStarted');
  }

  /** An earlier run, or somebody else, has left a journey to this session going. */
  #startOver(drivenMs: number): void {
    this.#call('stop', 'stop-journey', performance.now(), randomUUID(), () => {
      this.#at(performance.now() + retryMs, (dueMs) => {
        this.start(dueMs, drivenMs);
      });
    });
  }

  #drive(drivenMs: number, nextUpdateMs: number): void {
    const { random } = this.#with;
    const { drive, cancelAfterMs } = this.#plan;
    const nowMs = performance.now();
    const beganMs = nowMs - drivenMs;
    this.#state = 'driving';
    this.#listener.started();
    this.#beat.begin(beganMs, nowMs + random() * Math.min(longestUntilFirstMs, nextUpdateMs), nextUpdateMs);
    if (cancelAfterMs === undefined) this.#arrivesMs = beganMs + drive.durationMs;
    else {
      this.#at(beganMs + cancelAfterMs, (dueMs) => {
        this.#end('stop', 'cancelled', dueMs);
      });
    }
  }

  #arrive(): void {
    if (this.#state !== 'driving') return;
    this.#state = 'ending';
    this.#beat.halt();
    this.#at(performance.now() + between(tapMs, this.#with.random), (dueMs) => {
      this.#end('arrived', 'arrived', dueMs);
    });
  }

  #end(kind: 'arrived' | 'stop', how: JourneyEnd, dueMs: number, key: string = randomUUID()): void {
    this.#state = 'ending';
    this.#beat.halt();
    this.#call(kind, kind === 'stop' ? 'stop-journey' : 'arrived', dueMs, key, (reading) => {
      if (reading.kind === 'done') this.#over(how);
      else if (this.#endTried && isEndedAlready(reading)) this.#over(this.#endTried.how);
      else if (!isFinal(reading)) {
        this.#at(performance.now() + retryTimeMs(reading), (nextMs) => {
          this.#end(kind, how, nextMs, key);
        });
        this.#endTried = { how, key };
      } else if (kind === 'arrived') this.#end('stop', 'cancelled', performance.now());
      else this.#over('lost');
    });
  }

  #call<Kind extends 'start' | 'arrived' | 'stop'>(
    kind: Kind,
    path: string,
    dueMs: number,
    key: string,
    done: (reading: Reading<Kind>) => void,
  ): void {
    const { sessionId, trainerToken } = this.#session;
    const headers = ['authorization', `Bearer ${trainerToken}`, 'idempotency-key', key];
    const request = { method: 'POST', path: sessionPath(sessionId, path), headers, body: null } as const;
    const explains = (code: ErrorCode) =>
      (code === 'JOURNEY_ALREADY_ACTIVE' && kind === 'start' && this.#session.mayBeUnderWay) ||
      (code === 'JOURNEY_NOT_ACTIVE' && kind === 'stop' && this.#state === 'new') ||
      (code === 'JOURNEY_ENDED' && this.#endTried !== undefined && this.#endTried.key !== key);
    this.#with.calls.make({ kind, sessionId, dueMs, request, explains }, (reading) => {
      if (this.#state !== 'over') done(reading);
    });
  }

  #at(atMs: number, work: (dueMs: number) => void): void {
    this.#next = work;
    this.#with.wheel.schedule(this.#timer, atMs);
  }

  #over(how: JourneyEnd): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#beat.halt();
    this.#with.wheel.cancel(this.#timer);
    this.#listener.ended(how);
  }
}

function isActiveAlready(reading: Reading): boolean {
  return reading.kind === 'refused' && reading.code === 'JOURNEY_ALREADY_ACTIVE';
}

function isEndedAlready(reading: Reading): boolean {
  return reading.kind === 'refused' && reading.code === 'JOURNEY_ENDED';
}

/** A refusal that is not about now alone. */
function isFinal(reading: Reading): boolean {
  return reading.kind === 'refused' && reading.retryAfterMs === undefined;
}

function retryTimeMs(reading: Reading): number {
  return (reading.kind === 'refused' ? reading.retryAfterMs : undefined) ?? retryMs;
}

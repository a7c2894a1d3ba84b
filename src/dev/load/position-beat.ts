import type { ErrorCode } from '../../contract/errors.js';
import type { Drive } from '../simulation/drive.js';
import type { Reading } from './answers.js';
import { mostUnanswered, shortestPauseMs, updatesPath, type PhoneDependencies } from './phone.js';
import type { LoadSession } from './sessions.js';
import { Timer } from './timer-wheel.js';

export interface BeatListener {
  /** The service has taken the position of the end of the drive. */
  reachedEnd(): void;
  /** The service says that there is no such journey any more. */
  journeyIsGone(): void;
}

/** One update under way. */
interface SentUpdate {
  dueMs: number;
  sequence: number;
  isAtTheEnd: boolean;
  /** The same fix as in the update before it. */
  isRepeated: boolean;
}

const longestDelayMs = 800;
/** A phone's timer is never early, but often a little late. */
const timerJitterMs = 150;
/** An update that took longer may have let another overtake it, or brought two fixes together. */
const lateMs = 500;
/** How much earlier than at the interval the service takes an update: the contract's UPDATE_TOLERANCE_MS. */
const toleranceMs = 1_000;
const rememberedFixes = 16;
const goneCodes: ReadonlySet<ErrorCode> = new Set(['JOURNEY_ENDED', 'JOURNEY_NOT_ACTIVE']);
const codesOfLateness: ReadonlySet<ErrorCode> = new Set(['LOCATION_STALE', 'LOCATION_IMPLAUSIBLE']);

/** The part of the trainer's app that sends a position at each beat that the service asks for. */
export class PositionBeat {
  readonly #session: LoadSession;
  readonly #drive: Drive;
  readonly #with: PhoneDependencies;
  readonly #listener: BeatListener;
  readonly #timer = new Timer((dueMs) => {
    this.#beat(dueMs);
  });
  readonly #headers: string[];
  /** How long this phone's receiver takes to tell of a fix. */
  readonly #delayMs: number;
  readonly #fixTimesMs = new Float64Array(rememberedFixes);
  #driveBeganMs = 0;
  #intervalMs = 0;
  /** Beats follow each other at the interval; each update leaves a little later, by the phone's jitter. */
  #beatMs = 0;
  #sequence = 0;
  #unanswered = 0;
  #lateUntilMs = 0;
  /**
   * The latest time at which the service's rate limit (GCRA) can want the next update: it saw each one before the answer
   * was here. Lateness stays in it for as long as no beat is left out.
   */
  #wantedByMs = 0;
  #shortestIntervalMs = Infinity;
  #isHalted = false;

  constructor(session: LoadSession, drive: Drive, dependencies: PhoneDependencies, listener: BeatListener) {
    this.#session = session;
    this.#drive = drive;
    this.#with = dependencies;
    this.#listener = listener;
    this.#headers = ['authorization', `Bearer ${session.trainerToken}`, 'content-type', 'application/json'];
    this.#delayMs = Math.round(dependencies.random() * longestDelayMs);
  }

  begin(driveBeganMs: number, firstMs: number, intervalMs: number): void {
    this.#driveBeganMs = driveBeganMs;
    this.#intervalMs = this.#shortestIntervalMs = Math.max(shortestPauseMs, intervalMs);
    this.#scheduleBeat(firstMs);
  }

  halt(): void {
    this.#isHalted = true;
    this.#with.wheel.cancel(this.#timer);
  }

  /** When the fix with this sequence was made, by performance.now(), where the phone remembers. */
  fixTimeMs(sequence: number): number | undefined {
    const isRemembered = sequence <= this.#sequence && sequence > this.#sequence - rememberedFixes;
    return isRemembered ? this.#fixTimesMs[sequence % rememberedFixes] : undefined;
  }

  #scheduleBeat(beatMs: number): void {
    this.#beatMs = beatMs;
    const jitterMs = Math.min(timerJitterMs, this.#intervalMs / 4) * this.#with.random();
    this.#with.wheel.schedule(this.#timer, beatMs + jitterMs);
  }

  #beat(dueMs: number): void {
    this.#scheduleBeat(this.#beatMs + this.#intervalMs);
    const drivenMs = dueMs - this.#delayMs - this.#driveBeganMs;
    const { tunnel, durationMs } = this.#drive;
    const { fix, ageMs } = this.#drive.latestFixAt(Math.min(drivenMs, durationMs));
    const isInTunnel = ageMs > 0;
    if (isInTunnel && tunnel?.phone === 'silent') return;
    if (this.#unanswered >= mostUnanswered) {
      this.#with.calls.notSent('update', dueMs);
      return;
    }
    this.#sequence += 1;
    const fixTimeMs = dueMs - this.#delayMs - ageMs;
    this.#fixTimesMs[this.#sequence % rememberedFixes] = fixTimeMs;
    const sentAgeMs = Math.round(performance.now() - fixTimeMs);
    const update = {
      dueMs,
      sequence: this.#sequence,
      isAtTheEnd: drivenMs >= durationMs,
      isRepeated: isInTunnel,
    };
    const body =
      `{"sessionId":"${this.#session.sessionId}","latitude":${fix.latitude},"longitude":${fix.longitude},` +
      `"accuracy":${fix.accuracy},"speed":${fix.speed},"heading":${fix.heading},` +
      `"sequence":${update.sequence},"ageMs":${sentAgeMs}}`;
    this.#send(update, body);
  }

  #send(update: SentUpdate, body: string): void {
    // Two under way at once: the server may take either first.
    if (this.#unanswered > 0) this.#markLate();
    this.#unanswered += 1;
    const sentMs = performance.now();
    this.#with.calls.make(
      {
        kind: 'update',
        sessionId: this.#session.sessionId,
        dueMs: update.dueMs,
        request: { method: 'POST', path: updatesPath, headers: this.#headers, body },
        explains: (code, latencyMs) => this.#explains({ ...update, sentMs }, code, latencyMs),
      },
      (reading, latencyMs) => {
        this.#unanswered -= 1;
        if (latencyMs > lateMs || reading.kind === 'broken') this.#markLate();
        if (mayHaveUsedSlot(reading)) {
          this.#wantedByMs = Math.max(performance.now(), this.#wantedByMs) + this.#shortestIntervalMs;
        }
        if (!this.#isHalted) this.#heed(update, reading);
      },
    );
  }

  #markLate(): void {
    this.#lateUntilMs = performance.now() + 3 * this.#intervalMs;
  }

  #explains(update: SentUpdate & { sentMs: number }, code: ErrorCode, latencyMs: number): boolean {
    if (goneCodes.has(code)) return this.#isHalted;
    if (code === 'RATE_LIMITED') {
      return this.#unanswered > 1 || update.sentMs < this.#wantedByMs - toleranceMs;
    }
    if (codesOfLateness.has(code) && (latencyMs > lateMs || performance.now() < this.#lateUntilMs))
      return true;
    // As old as the last one, give or take what the way to the server took.
    return code === 'LOCATION_STALE' && update.isRepeated;
  }

  /** Does what the answer asks for. */
  #heed(update: SentUpdate, reading: Reading<'update'>): void {
    if (reading.kind === 'done') {
      const nextUpdateMs = Math.max(shortestPauseMs, reading.data.nextUpdateMs);
      const isNewest = update.sequence === this.#sequence;
      if (nextUpdateMs !== this.#intervalMs && isNewest) {
        this.#intervalMs = nextUpdateMs;
        this.#shortestIntervalMs = Math.min(this.#shortestIntervalMs, nextUpdateMs);
        this.#scheduleBeat(update.dueMs + nextUpdateMs);
      }
      if (update.isAtTheEnd) this.#listener.reachedEnd();
    } else if (reading.kind === 'refused') {
      if (goneCodes.has(reading.code)) this.#listener.journeyIsGone();
      else if (reading.retryAfterMs !== undefined) {
        this.#scheduleBeat(performance.now() + reading.retryAfterMs);
      }
    }
  }
}

/** Whether the rate limit may have counted the update; of one without an answer nobody knows. */
function mayHaveUsedSlot(reading: Reading<'update'>): boolean {
  return reading.kind !== 'refused' || reading.code === 'LOCATION_IMPLAUSIBLE';
}

import type { ErrorCode } from '../../contract/errors.js';
import { readAnswer, type CallKind, type Reading } from './answers.js';
import type { ClockOffset } from './clock-offset.js';
import type { Connections, OutgoingRequest } from './connections.js';
import type { Recorder, ReportedKind } from './recorder.js';

export interface Call<Kind extends CallKind> {
  kind: Kind;
  sessionId: string;
  /** When the phone's schedule wanted it, by performance.now(). */
  dueMs: number;
  request: Omit<OutgoingRequest, 'answerWithinMs'>;
  /** For how long the server may hold the answer back, as it was asked to. */
  heldMs?: number;
  /** Whether a well-behaved phone can get this refusal in its situation. */
  explains?: (code: ErrorCode, latencyMs: number) => boolean;
}

export const answerWithinMs = 10_000;

/** Makes calls, and writes down how each of them went. */
export class Calls {
  readonly #connections: Connections;
  readonly #recorder: Recorder;
  readonly #clockOffset: ClockOffset;
  #underWay = 0;

  constructor(connections: Connections, recorder: Recorder, clockOffset: ClockOffset) {
    this.#connections = connections;
    this.#recorder = recorder;
    this.#clockOffset = clockOffset;
  }

  /** Calls that have no answer yet and that the server was not asked to hold back. */
  get underWay(): number {
    return this.#underWay;
  }

  make<Kind extends CallKind>(
    call: Call<Kind>,
    done: (reading: Reading<Kind>, latencyMs: number) => void,
  ): void {
    const isHeld = call.heldMs !== undefined;
    const sentMs = performance.now();
    this.#recorder.stretchAt(call.dueMs).ownDelay.add(sentMs - call.dueMs);
    if (!isHeld) this.#underWay += 1;
    const request = { ...call.request, answerWithinMs: answerWithinMs + (call.heldMs ?? 0) };
    this.#connections.send(request, (incoming) => {
      if (!isHeld) this.#underWay -= 1;
      const nowMs = performance.now();
      const reading = readAnswer(call.kind, call.sessionId, incoming);
      if (reading.kind === 'done' && 'timestamp' in reading.data) {
        this.#clockOffset.compare(reading.data.timestamp, nowMs - sentMs);
      }
      const latencyMs = nowMs - call.dueMs;
      this.#count(call, reading, latencyMs);
      done(reading, latencyMs);
    });
  }

  /** A call that was due while the phone's earlier ones are all unanswered, so that it could only add to the heap. */
  notSent(kind: ReportedKind, dueMs: number): void {
    this.#recorder.stretchAt(dueMs).count(kind, 'not sent', answerWithinMs);
    this.#recorder.wrong(`${kind}: not sent, because none of the phone's last ones was answered`);
  }

  #count<Kind extends CallKind>(call: Call<Kind>, reading: Reading<Kind>, latencyMs: number): void {
    const stretch = this.#recorder.stretchAt(call.dueMs);
    const kind = reportedKind(call, reading);
    switch (reading.kind) {
      case 'done':
      case 'unchanged':
        stretch.count(kind, reading.kind === 'done' ? successStatus(call.kind) : '304', latencyMs);
        return;
      case 'refused': {
        const { status, code } = reading;
        stretch.count(kind, String(status), latencyMs);
        stretch.refusals.get(kind)?.add(code);
        if (status >= 500 || call.explains?.(code, latencyMs) !== true) {
          this.#recorder.wrong(`${kind}: ${status} ${code}`);
        }
        return;
      }
      case 'garbled':
        stretch.count(kind, `${reading.status} garbled`, latencyMs);
        this.#recorder.wrong(`${kind}: ${reading.status}, but ${reading.problem}`);
        return;
      case 'unanswered':
        stretch.count(kind, 'no answer', latencyMs);
        this.#recorder.wrong(`${kind}: no answer in time`);
        return;
      case 'broken':
        stretch.count(kind, 'network', undefined);
        this.#recorder.network.add(`${kind}: ${reading.reason}`);
    }
  }
}

function successStatus(kind: CallKind): string {
  return kind === 'start' || kind === 'update' ? '201' : '200';
}

function reportedKind(call: Call<CallKind>, reading: Reading): ReportedKind {
  if (call.kind !== 'live') return call.kind;
  const isAnswer = reading.kind === 'done' || reading.kind === 'unchanged';
  return (isAnswer ? reading.hasWaited : call.heldMs !== undefined) ? 'wait' : 'poll';
}

import { readAnswer, type CallKind, type Reading } from './answers.js';
import type { OutgoingRequest } from '../support/connections.js';
import type { Balancer } from './balancer.js';
import type { FaultHistory } from './history.js';
import { OwnLateness } from './own-lateness.js';

const GIVE_UP_AFTER_MS = 15_000;

type Request = Omit<OutgoingRequest, 'answerWithinMs'>;

/** Makes calls, compares each answer with the contract, and writes down how it went. */
export class Calls {
  readonly #balancer: Balancer;
  readonly #lateness = new OwnLateness();
  readonly #underWay = new Set<{ sentAtMs: number }>();
  /** Of the fault that there is now: whatever becomes of a call belongs to the one in which it was sent. */
  history: FaultHistory;

  constructor(balancer: Balancer, history: FaultHistory) {
    this.#balancer = balancer;
    this.history = history;
  }

  /** heldMs: for how long the service is asked to hold the answer back. */
  make<Kind extends CallKind>(
    kind: Kind,
    sessionId: string,
    request: Request,
    heldMs = 0,
  ): Promise<Reading<Kind>> {
    const { history } = this;
    const call = { sentAtMs: performance.now() };
    const lateBeforeMs = this.#lateness.totalMs();
    this.#underWay.add(call);
    return new Promise((resolve) => {
      this.#balancer.send({ ...request, answerWithinMs: GIVE_UP_AFTER_MS }, (incoming) => {
        this.#underWay.delete(call);
        const ownMs = this.#lateness.totalMs() - lateBeforeMs;
        const reading = readAnswer(kind, sessionId, incoming);
        count(history, kind, reading, call.sentAtMs, performance.now() - call.sentAtMs - heldMs - ownMs);
        resolve(reading);
      });
    });
  }

  /** Whether it is known what became of all that was sent before that moment of performance.now(). */
  isSettled(beforeMs: number): boolean {
    return [...this.#underWay].every(({ sentAtMs }) => sentAtMs >= beforeMs);
  }

  stop(): void {
    this.#lateness.stop();
  }
}

function count(
  history: FaultHistory,
  kind: CallKind,
  reading: Reading,
  sentAtMs: number,
  latencyMs: number,
): void {
  switch (reading.kind) {
    case 'broken':
      history.broken(reading.reason, sentAtMs);
      return;
    case 'unanswered':
      history.broken('no answer', sentAtMs);
      return;
    case 'garbled':
      history.wrong.add(`${kind}: ${reading.status}, ${reading.problem}`);
      break;
    case 'refused':
      if (reading.status === 503) history.refused('503', sentAtMs);
      else if (reading.status >= 500) {
        history.refused(String(reading.status), sentAtMs);
        history.wrong.add(`${kind}: ${reading.status} ${reading.code}`);
      }
      break;
    case 'done':
    case 'unchanged':
  }
  history.answered(latencyMs);
}

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { readAnswer, type CallKind, type Reading } from '../../src/dev/load/answers.js';
import type { OutgoingRequest } from '../../src/dev/load/connections.js';
import type { Balancer } from './balancer.js';
import type { FaultHistory } from './history.js';

const GIVE_UP_AFTER_MS = 15_000;
const OWN_DELAY_RESOLUTION_MS = 10;

type Request = Omit<OutgoingRequest, 'answerWithinMs'>;

/** Makes calls, compares each answer with the contract, and writes down how it went. */
export class Calls {
  readonly #balancer: Balancer;
  readonly #ownDelay = monitorEventLoopDelay({ resolution: OWN_DELAY_RESOLUTION_MS });
  history: FaultHistory;

  constructor(balancer: Balancer, history: FaultHistory) {
    this.#balancer = balancer;
    this.history = history;
    this.#ownDelay.enable();
  }

  /** heldMs: for how long the service is asked to hold the answer back. */
  make<Kind extends CallKind>(
    kind: Kind,
    sessionId: string,
    request: Request,
    heldMs = 0,
  ): Promise<Reading<Kind>> {
    const sentAtMs = performance.now();
    return new Promise((resolve) => {
      this.#balancer.send({ ...request, answerWithinMs: GIVE_UP_AFTER_MS }, (incoming) => {
        const reading = readAnswer(kind, sessionId, incoming);
        this.#count(kind, reading, sentAtMs, performance.now() - sentAtMs - heldMs);
        resolve(reading);
      });
    });
  }

  /** Before each fault, so that only what this process was late by during it is taken off. */
  forgetOwnDelay(): void {
    this.#ownDelay.reset();
  }

  stop(): void {
    this.#ownDelay.disable();
  }

  #count(kind: CallKind, reading: Reading, sentAtMs: number, latencyMs: number): void {
    const { history } = this;
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
    history.answered(latencyMs - this.#ownDelay.max / 1e6 + OWN_DELAY_RESOLUTION_MS);
  }
}

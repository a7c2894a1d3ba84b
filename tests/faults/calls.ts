import { JourneyApi } from '../../src/client/index.js';
import { ErrorAnswer } from '../../src/contract/errors.js';
import {
  JourneyArrived,
  JourneyStarted,
  JourneyStopped,
  LiveJourney,
  PositionRecorded,
} from '../../src/contract/responses.js';
import type { Answer, Balancer, Request } from './balancer.js';
import { EventLoopLag } from './event-loop-lag.js';
import type { FaultHistory } from './history.js';

/** By the last part of the path. */
const expected = {
  'start-journey': { status: 201, schema: JourneyStarted },
  updates: { status: 201, schema: PositionRecorded },
  live: { status: 200, schema: LiveJourney },
  arrived: { status: 200, schema: JourneyArrived },
  'stop-journey': { status: 200, schema: JourneyStopped },
} as const;
type CallKind = keyof typeof expected;

const WAIT = /wait=(\d+)/;

/** The SDK's network: compares each answer with the contract and records how the call went. */
export class Calls {
  readonly #balancer: Balancer;
  readonly #lag = new EventLoopLag();
  readonly #inFlight = new Set<{ sentAtMs: number }>();
  /** Of the current fault; a call counts for the fault during which it was sent. */
  history: FaultHistory;

  constructor(balancer: Balancer, history: FaultHistory) {
    this.#balancer = balancer;
    this.history = history;
  }

  /** The SDK for one user. */
  apiFor(token: string): JourneyApi {
    const fetchFromService = (async (url: string, init: Request) => {
      const { status, headers, text } = await this.#send(new URL(url), init);
      return new Response(status === 304 ? null : text, { status, headers });
    }) as typeof fetch;
    return new JourneyApi({ baseUrl: 'http://service', getToken: () => token, fetch: fetchFromService });
  }

  /** Whether every call that was sent before that moment of performance.now() has ended. */
  isSettled(beforeMs: number): boolean {
    return [...this.#inFlight].every(({ sentAtMs }) => sentAtMs >= beforeMs);
  }

  stop(): void {
    this.#lag.stop();
  }

  async #send({ pathname, search }: URL, request: Request): Promise<Answer> {
    const { history } = this;
    const kind = pathname.slice(pathname.lastIndexOf('/') + 1) as CallKind;
    const call = { sentAtMs: performance.now() };
    const lagBeforeMs = this.#lag.totalMs();
    this.#inFlight.add(call);
    try {
      const answer = await this.#balancer.send(pathname + search, request);
      const waitMs = 1_000 * Number(WAIT.exec(request.headers?.['Prefer'] ?? '')?.[1] ?? 0);
      const lagMs = this.#lag.totalMs() - lagBeforeMs;
      history.answered(performance.now() - call.sentAtMs - waitMs - lagMs);
      record(history, kind, answer, call.sentAtMs);
      return answer;
    } catch (error) {
      history.broken(request.signal?.aborted === true ? 'no answer' : reasonOf(error), call.sentAtMs);
      throw error;
    } finally {
      this.#inFlight.delete(call);
    }
  }
}

function record(history: FaultHistory, kind: CallKind, { status, text }: Answer, sentAtMs: number): void {
  if (status === 304 && kind === 'live') return;
  const isDone = status === expected[kind].status;
  const problem = problemOf(isDone ? expected[kind].schema : undefined, text);
  if (problem !== undefined) history.wrong.add(`${kind}: ${status}, ${problem}`);
  if (status >= 500) history.refused(String(status), sentAtMs);
  if (status >= 500 && status !== 503) history.wrong.add(`${kind}: ${status}`);
}

/** schema: of the data; undefined: the answer is an error. */
function problemOf(schema: (typeof expected)[CallKind]['schema'] | undefined, text: string) {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return 'not JSON';
  }
  const { data } = body as { data?: unknown };
  const { error } = schema === undefined ? ErrorAnswer.safeParse(body) : schema.safeParse(data);
  const issue = error?.issues[0];
  return issue && `${issue.path.join('.')}: ${issue.message}`;
}

function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: { code?: string } };
  return cause?.code ?? String(error);
}

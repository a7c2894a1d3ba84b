import type { Dispatcher } from 'undici';
import type { ErrorCode } from '../../contract/errors.js';
import { checkAnswer, type CallKind, type Checked } from './answer-check.js';
import type { Phase, Recorder, ReportedKind } from './recorder.js';

/** One request of a phone. */
export interface PhoneCall {
  kind: CallKind;
  sentAtMs: number;
  body: string | undefined;
}

export interface PhoneNetworkOptions {
  /** Whose connections the requests use. */
  dispatcher: Dispatcher;
  recorder: Recorder;
  sessionId: string;
  /** The service may be asked to wait for a change. */
  mayWait: boolean;
  sending?: (call: PhoneCall) => void;
  answered?: (call: PhoneCall, checked: Checked) => void;
  /** Whether a well-behaved phone can get this refusal now. */
  expects: (kind: CallKind, code: ErrorCode) => boolean;
}

/** After these the SDK gives up a request. */
const deadlineMs = { call: 10_000, wait: 35_000 };
/** Timers may fire this much early. */
const earlyMs = 50;

/**
 * The `fetch` of one phone's SDK: measures each request, and compares each answer with the contract. Made of what the SDK
 * uses of a response, because thousands of phones share one core.
 */
export function phoneFetch(options: PhoneNetworkOptions): typeof fetch {
  const send = async (input: string, init: RequestInit) => {
    const { origin, pathname, search } = new URL(input);
    const headers = { ...(init.headers as Record<string, string>) };
    if (!options.mayWait) delete headers['Prefer'];
    const body = init.body as string | undefined;
    const call: PhoneCall = { kind: kindOf(pathname), sentAtMs: performance.now(), body };
    const measured = new MeasuredCall(call, 'Prefer' in headers, options);
    options.sending?.(call);
    try {
      const response = await options.dispatcher.request({
        ...{ origin, path: pathname + search, method: init.method === 'POST' ? 'POST' : 'GET', headers },
        ...{ body: body ?? null, signal: init.signal },
      });
      const text = await response.body.text();
      const header = (name: string) => {
        const value = response.headers[name.toLowerCase()];
        return typeof value === 'string' ? value : null;
      };
      measured.answered({ status: response.statusCode, header, text });
      return { status: response.statusCode, headers: { get: header }, text: () => Promise.resolve(text) };
    } catch (error) {
      measured.failed(error as Error, init.signal?.aborted === true);
      throw error;
    }
  };
  return send as unknown as typeof fetch;
}

class MeasuredCall {
  readonly #call: PhoneCall;
  readonly #isWait: boolean;
  readonly #with: PhoneNetworkOptions;
  readonly #phase: Phase;
  readonly #kind: ReportedKind;

  constructor(call: PhoneCall, isWait: boolean, options: PhoneNetworkOptions) {
    this.#call = call;
    this.#isWait = isWait;
    this.#with = options;
    this.#phase = options.recorder.phase;
    this.#kind = call.kind !== 'live' ? call.kind : isWait ? 'wait' : 'poll';
  }

  answered(answer: Parameters<typeof checkAnswer>[2]): void {
    const { recorder, sessionId, expects } = this.#with;
    const latencyMs = performance.now() - this.#call.sentAtMs;
    const checked = checkAnswer(this.#call.kind, sessionId, answer);
    this.#with.answered?.(this.#call, checked);
    const { status } = answer;
    const shownStatus = checked.kind === 'invalid' ? `${status} invalid` : String(status);
    recorder.count(this.#phase, this.#kind, shownStatus, latencyMs);
    if (checked.kind === 'invalid') recorder.fault(`${this.#kind}: ${status}, but ${checked.problem}`);
    if (checked.kind === 'refused') {
      this.#phase.calls.get(this.#kind)?.refusals.add(checked.code);
      // The SDK repeats what was unavailable, as the contract wants it.
      const isFine = status === 503 || (status < 500 && expects(this.#call.kind, checked.code));
      if (!isFine) recorder.fault(`${this.#kind}: ${status} ${checked.code}`);
    }
  }

  /** isAborted: by the SDK, at the deadline or because the phone needs no answer any more. */
  failed(error: Error & { code?: string }, isAborted: boolean): void {
    const { recorder } = this.#with;
    const latencyMs = performance.now() - this.#call.sentAtMs;
    if (!isAborted) {
      recorder.network.add(`${this.#kind}: ${reasonOf(error)}`);
    } else if (latencyMs > (this.#isWait ? deadlineMs.wait : deadlineMs.call) - earlyMs) {
      recorder.count(this.#phase, this.#kind, 'no answer', latencyMs);
      recorder.fault(`${this.#kind}: no answer in time`);
    }
  }
}

function kindOf(path: string): CallKind {
  if (path.endsWith('/updates')) return 'update';
  if (path.endsWith('/live')) return 'live';
  if (path.endsWith('/start-journey')) return 'start';
  return path.endsWith('/arrived') ? 'arrived' : 'stop';
}

/** Node puts the errors of a host's addresses into an AggregateError. */
function reasonOf(error: Error & { code?: string }): string {
  if (error instanceof AggregateError) {
    return [...new Set(error.errors.map((each: Error) => reasonOf(each)))].join(', ');
  }
  return error.code ?? error.message;
}

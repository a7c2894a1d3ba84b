export type PhoneName = 'trainer' | 'student';

/** One HTTP call as the page shows it. */
export interface Call {
  phone: PhoneName;
  method: string;
  path: string;
  sent: string | null;
  startedAt: Date;
  /** Null while it is in flight; 0: no answer. */
  status: number | null;
  tookMs: number | null;
  /** Of an error, else empty. */
  code: string;
  /** The body, or why there is no answer. */
  answer: string;
}

/** The `fetch` of a phone's SDK, which can be cut as in a tunnel. */
export class PhoneNetwork {
  readonly #phone: PhoneName;
  readonly #onCall: (call: Call) => void;
  readonly #onWay = new Set<AbortController>();
  #isCut = false;

  /** onCall: called when a call is sent, and with the same object when it has ended. */
  constructor(phone: PhoneName, onCall: (call: Call) => void) {
    this.#phone = phone;
    this.#onCall = onCall;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  /** Breaks calls in flight, and fails new ones until it is restored. */
  setCut(isCut: boolean): void {
    this.#isCut = isCut;
    if (isCut) for (const call of this.#onWay) call.abort(new TypeError('the network is cut'));
  }

  readonly fetch: typeof fetch = async (input, init = {}) => {
    const { pathname, search } = new URL(input instanceof Request ? input.url : input);
    const call: Call = {
      phone: this.#phone,
      method: init.method ?? 'GET',
      path: pathname.replace('/api/v1/admin', '') + search,
      sent: typeof init.body === 'string' ? init.body : null,
      startedAt: new Date(),
      status: null,
      tookMs: null,
      code: '',
      answer: '',
    };
    this.#onCall(call);
    const startedMs = performance.now();
    const over = (status: number, answer: string) => {
      const code = status < 400 ? '' : (/"code":"(\w+)"/.exec(answer)?.[1] ?? '');
      Object.assign(call, { status, answer, code, tookMs: performance.now() - startedMs });
      this.#onCall(call);
    };
    const cut = new AbortController();
    this.#onWay.add(cut);
    try {
      if (this.#isCut) throw new TypeError('the network is cut');
      const signal = AbortSignal.any([cut.signal, ...(init.signal ? [init.signal] : [])]);
      const response = await fetch(input, { ...init, signal });
      over(response.status, await response.clone().text());
      return response;
    } catch (error) {
      over(0, error instanceof Error ? error.message : String(error));
      throw error;
    } finally {
      this.#onWay.delete(cut);
    }
  };
}

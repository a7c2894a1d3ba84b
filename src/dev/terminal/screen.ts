import { createLogUpdate } from 'log-update';

const rewriteMs = 500;
const plainLineMs = 10_000;
const lastLinesShown = 10;

/** Lines that scroll up, and below them a status line, which is rewritten on a terminal and repeated elsewhere. */
export class Screen {
  readonly #out: NodeJS.WriteStream;
  readonly #live: ReturnType<typeof createLogUpdate>;
  #status = '';

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
    this.#live = createLogUpdate(out, { showCursor: true });
  }

  /** A terminal without a known width cannot be rewritten. */
  get #isTerminal(): boolean {
    return this.#out.isTTY && this.#out.columns > 0;
  }

  /** How often the status line is worth an update. */
  get statusEveryMs(): number {
    return this.#isTerminal ? rewriteMs : plainLineMs;
  }

  show(line: string): void {
    if (this.#isTerminal) this.#live.clear();
    // Not by log-update, which would break long lines: people paste them.
    this.#out.write(`${line}\n`);
    if (this.#isTerminal && this.#status !== '') this.#live(this.#status);
  }

  /** What went wrong, with the end of the output of what failed. */
  fail(what: string, output: string): void {
    const lines = output.split('\n').filter(Boolean).slice(-lastLinesShown);
    this.show([what, ...lines].join('\n  '));
  }

  status(text: string): void {
    if (!this.#isTerminal) {
      this.show(text);
      return;
    }
    this.#status = text.slice(0, this.#out.columns - 1);
    this.#live(this.#status);
  }

  clearStatus(): void {
    this.#status = '';
    if (this.#isTerminal) this.#live.clear();
  }

  /** Shows what is being done, and then how long it took and the outcome. */
  async step<Result>(
    what: string,
    work: () => Promise<Result>,
    outcome: (result: Result) => string,
  ): Promise<Result> {
    const startedMs = performance.now();
    if (this.#isTerminal) this.status(`${what} ...`);
    try {
      const result = await work();
      const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
      this.clearStatus();
      this.show(`${what} ... ${seconds} s  ${outcome(result)}`.trimEnd());
      return result;
    } finally {
      this.clearStatus();
    }
  }
}

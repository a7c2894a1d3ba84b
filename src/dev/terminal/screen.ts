import { createLogUpdate } from 'log-update';

const rewriteMs = 500;
const plainLineMs = 10_000;

/** Lines that scroll up, and below them a status line, which is rewritten on a terminal and repeated elsewhere. */
export class Screen {
  readonly #out: NodeJS.WriteStream;
  readonly #isQuiet: boolean;
  readonly #live: ReturnType<typeof createLogUpdate>;

  constructor(out: NodeJS.WriteStream, isQuiet: boolean) {
    this.#out = out;
    this.#isQuiet = isQuiet;
    this.#live = createLogUpdate(out, { showCursor: true });
  }

  /** How often the status line is worth an update. */
  get statusEveryMs(): number {
    return this.#out.isTTY ? rewriteMs : plainLineMs;
  }

  /** A line that is shown also when the screen is quiet. */
  show(line: string): void {
    if (this.#out.isTTY) this.#live.persist(line);
    else this.#out.write(`${line}\n`);
  }

  say(line: string): void {
    if (!this.#isQuiet) this.show(line);
  }

  status(text: string): void {
    if (this.#isQuiet) return;
    if (!this.#out.isTTY) this.show(text);
    // A line that wraps could not be rewritten.
    else this.#live(text.slice(0, this.#out.columns - 1));
  }

  clearStatus(): void {
    if (this.#out.isTTY) this.#live.clear();
  }

  /** Shows what is being done, and then how long it took and the outcome. */
  async step<Result>(
    what: string,
    work: () => Promise<Result>,
    outcome: (result: Result) => string,
  ): Promise<Result> {
    const startedMs = performance.now();
    if (this.#out.isTTY) this.status(`${what} ...`);
    try {
      const result = await work();
      const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
      this.say(`${what} ... ${seconds} s  ${outcome(result)}`.trimEnd());
      return result;
    } finally {
      this.clearStatus();
    }
  }
}

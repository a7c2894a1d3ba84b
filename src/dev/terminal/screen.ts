import { clearLine, cursorTo } from 'node:readline';

/** What the screen needs of standard output. */
export type Terminal = NodeJS.WriteStream;

/** Lines that scroll up, and below them one status line that is rewritten where the output is a terminal. */
export class Screen {
  readonly #out: Terminal;
  readonly #isQuiet: boolean;
  #bottom = '';

  constructor(out: Terminal, isQuiet: boolean) {
    this.#out = out;
    this.#isQuiet = isQuiet;
  }

  get isTerminal(): boolean {
    return this.#out.isTTY;
  }

  /** A line that is shown in any case. */
  show(line: string): void {
    this.#erase();
    this.#out.write(`${line}\n`);
    this.#draw();
  }

  /** A line that is not shown when all should be quiet. */
  tell(line: string): void {
    if (!this.#isQuiet) this.show(line);
  }

  /** Replaces the status line; elsewhere than on a terminal it is a line like others. */
  status(text: string): void {
    if (this.#isQuiet) return;
    if (!this.isTerminal) {
      if (text !== '') this.show(text);
      return;
    }
    this.#erase();
    this.#bottom = text;
    this.#draw();
  }

  /** Shows what is being done while it is done, then how long it took and what came of it. */
  async step<Result>(
    what: string,
    work: () => Promise<Result>,
    outcome: (result: Result) => string,
  ): Promise<Result> {
    const startedMs = performance.now();
    if (this.isTerminal) this.status(`${what} ...`);
    try {
      const result = await work();
      const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
      this.#bottom = this.#clearedBottom();
      this.tell(`${what} ... ${seconds} s  ${outcome(result)}`.trimEnd());
      return result;
    } catch (error) {
      this.#bottom = this.#clearedBottom();
      throw error;
    }
  }

  #clearedBottom(): string {
    this.#erase();
    return '';
  }

  #erase(): void {
    if (this.#bottom === '' || !this.isTerminal) return;
    cursorTo(this.#out, 0);
    clearLine(this.#out, 0);
  }

  #draw(): void {
    // A line that wraps could not be rewritten.
    if (this.#bottom !== '' && this.isTerminal) this.#out.write(this.#bottom.slice(0, this.#out.columns - 1));
  }
}

/** A clock for startService that stands still until a test moves it, so that no rule has to be waited for. */
export class MovableClock {
  #nowMs = Date.now();

  readonly now = (): number => this.#nowMs;

  advance(ms: number): void {
    this.#nowMs += ms;
  }
}

/** What was started, to be stopped in reverse order. */
export class StopList {
  readonly #stops: (() => Promise<void>)[] = [];
  readonly #complain: (line: string) => void;

  constructor(complain: (line: string) => void) {
    this.#complain = complain;
  }

  add(stop: () => Promise<void>): void {
    this.#stops.push(stop);
  }

  /** Stops everything that was added so far, the newest first. */
  async stopAll(): Promise<void> {
    for (let stop = this.#stops.pop(); stop; stop = this.#stops.pop()) {
      await stop().catch((error: unknown) => {
        this.#complain(`could not stop everything: ${String(error)}`);
      });
    }
  }
}

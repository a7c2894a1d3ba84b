/** What was started, to be stopped in the opposite order. */
export class StopList {
  readonly #stops: (() => Promise<void>)[] = [];
  readonly #complain: (line: string) => void;

  constructor(complain: (line: string) => void) {
    this.#complain = complain;
  }

  add(stop: () => Promise<void>): void {
    this.#stops.push(stop);
  }

  /** Everything that was added so far, the newest first. */
  async stopAll(): Promise<void> {
    for (let stop = this.#stops.pop(); stop; stop = this.#stops.pop()) {
      // One part that does not stop is no reason to leave the others running.
      await stop().catch((error: unknown) => {
        this.#complain(`while stopping: ${String(error)}`);
      });
    }
  }
}

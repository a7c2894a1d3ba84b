const quietMs = 10_000;

/** Shows the first line of a kind, and then at most one in ten seconds with the number of lines in between. */
export class Repeats {
  readonly #show: (line: string) => void;
  readonly #kinds = new Map<string, { shownMs: number; suppressed: number }>();

  constructor(show: (line: string) => void) {
    this.#show = show;
  }

  show(kind: string, line: string): void {
    const now = performance.now();
    const seen = this.#kinds.get(kind);
    if (seen && now - seen.shownMs < quietMs) {
      seen.suppressed += 1;
      return;
    }
    this.#kinds.set(kind, { shownMs: now, suppressed: 0 });
    this.#show(seen && seen.suppressed > 0 ? `${line}  (and ${seen.suppressed} more before)` : line);
  }
}

const quietMs = 10_000;

/** Lets the first line of a kind through, and then one in ten seconds, which says how many it stands for. */
export class Repeats {
  readonly #show: (line: string) => void;
  readonly #kinds = new Map<string, { shownMs: number; heldBack: number }>();

  constructor(show: (line: string) => void) {
    this.#show = show;
  }

  tell(kind: string, line: string): void {
    const now = performance.now();
    const seen = this.#kinds.get(kind);
    if (seen && now - seen.shownMs < quietMs) {
      seen.heldBack += 1;
      return;
    }
    this.#kinds.set(kind, { shownMs: now, heldBack: 0 });
    this.#show(seen && seen.heldBack > 0 ? `${line}  (and ${seen.heldBack} more before)` : line);
  }
}

import type { Screen } from '../terminal/screen.js';
import type { Recorder } from './recorder.js';

/** A little more than the interval of plain lines. */
const ratesOverMs = 11_000;

/** Shows what the phones do, at the pace that the screen is made for. */
export class ProgressLine {
  readonly #screen: Screen;
  #samples = [{ ms: performance.now(), updates: 0, polls: 0 }];
  #shownMs = -Infinity;
  #shownPhase = '';

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** @param more follows the rates */
  show(phase: string, recorder: Recorder, more: string[] = []): void {
    const nowMs = performance.now();
    if (phase === this.#shownPhase && nowMs - this.#shownMs < this.#screen.statusEveryMs) return;
    [this.#shownPhase, this.#shownMs] = [phase, nowMs];
    const now = { ms: nowMs, updates: countOf(recorder, 'update'), polls: countOf(recorder, 'poll', 'wait') };
    this.#samples = [...this.#samples.filter(({ ms }) => nowMs - ms <= ratesOverMs), now];
    const first = this.#samples[0] ?? now;
    const seconds = Math.max(0.001, (nowMs - first.ms) / 1_000);
    const rate = (name: 'updates' | 'polls') => ((now[name] - first[name]) / seconds).toFixed(1);
    const faults = recorder.faults.reduce((sum, { count }) => sum + count, 0);
    const parts = [
      `${recorder.journeys.active} journeys active`,
      `${recorder.ends.arrived + recorder.ends.cancelled} ended`,
      `${rate('updates')} updates/s`,
      `${rate('polls')} polls/s`,
      ...more,
      `${recorder.network.total} network errors`,
      `${faults} faults`,
    ];
    this.#screen.status((phase === '' ? parts : [phase, ...parts]).join(' · '));
  }
}

function countOf({ totals }: Recorder, ...kinds: string[]): number {
  const counts = Object.entries(totals.toObject()).filter(([name]) =>
    kinds.includes(name.split(' ')[0] ?? ''),
  );
  return counts.reduce((sum, [, count]) => sum + count, 0);
}

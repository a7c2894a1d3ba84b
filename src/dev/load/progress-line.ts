import type { Screen } from '../terminal/screen.js';
import type { Progress } from './load-run.js';

const rewriteMs = 500;
const plainLineMs = 10_000;
const barCells = 24;

/** Shows how far the run is: rewritten on a terminal, elsewhere a line now and then and for each new phase. */
export function progressOn(screen: Screen): (progress: Progress) => void {
  let shownMs = -Infinity;
  let shownPhase: string | undefined;
  let before = { ms: performance.now(), updates: 0, polls: 0 };
  return (progress) => {
    const nowMs = performance.now();
    const everyMs = screen.isTerminal ? rewriteMs : plainLineMs;
    if (nowMs - shownMs < everyMs && progress.phase === shownPhase) return;
    const after = { ms: nowMs, ...callsSoFar(progress) };
    const seconds = Math.max(0.001, (after.ms - before.ms) / 1_000);
    const rates = [
      `${((after.updates - before.updates) / seconds).toFixed(0)} updates/s`,
      `${((after.polls - before.polls) / seconds).toFixed(0)} polls/s`,
    ];
    screen.status(lineOf(progress, rates));
    [shownMs, shownPhase, before] = [nowMs, progress.phase, after];
  };
}

function lineOf({ phase, share, leftSeconds, recorder, underWay }: Progress, rates: string[]): string {
  const filled = Math.round(share * barCells);
  const bar = `${'#'.repeat(filled)}${'.'.repeat(barCells - filled)}`;
  const wrong = recorder.wrongs.reduce((sum, { count }) => sum + count, 0);
  return [
    `${phase} [${bar}] ${(share * 100).toFixed(0)} %, ${Math.max(0, leftSeconds).toFixed(0)} s left`,
    `${underWay} journeys`,
    ...rates,
    `${recorder.network.total} network`,
    `${wrong} wrong`,
  ].join(' · ');
}

function callsSoFar({ recorder }: Progress): { updates: number; polls: number } {
  const count = (kind: 'update' | 'poll' | 'wait') =>
    [recorder.rampUp, recorder.steady, recorder.ending].reduce(
      (sum, stretch) => sum + (stretch.calls.get(kind)?.outcomes.total ?? 0),
      0,
    );
  return { updates: count('update'), polls: count('poll') + count('wait') };
}

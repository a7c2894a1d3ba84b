/** A timer that comes so much too late says that this process stood still: who was asked may have answered in time. */
const STOOD_STILL_MS = 50;
/** What has come meanwhile is read within a fraction of it. */
const MOMENT_MS = 100;

/**
 * Calls back after limitMs; after a moment more where this process was too late to look, so that what was answered in
 * time does not count as missing. Returns what cancels it.
 */
export function afterLimit(limitMs: number, over: () => void): () => void {
  const dueMs = performance.now() + limitMs;
  // No timer holds the process: where nothing else is left, no answer can come.
  let timer = setTimeout(() => {
    if (performance.now() - dueMs < STOOD_STILL_MS) over();
    else timer = setTimeout(over, MOMENT_MS).unref();
  }, limitMs).unref();
  return () => {
    clearTimeout(timer);
  };
}

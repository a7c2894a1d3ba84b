import { ConnectionPool } from './connection-pool.js';
import type { Outgoing } from './request-source.js';
import type { Tally } from './tally.js';

/** As a load balancer's to one task; waiting students have their own. */
export const CONNECTIONS = 512;
/** What is not answered by then counts as failed. */
const LAST_ANSWERS_WITHIN_MS = 5_000;

export interface OpenLoop {
  port: number;
  connections: number;
  skipsWhenBusy?: boolean;
  /** When the next request is due, by performance.now(). */
  dueMs: () => number;
  /** Takes that request; dueMs is then about the one after it. */
  take: () => Outgoing;
  warmUpSeconds: number;
  seconds: number;
  onMeasuring: () => void;
}

/** Sends each request when it is due, whatever became of those before, and measures from then. */
export async function openLoop(loop: OpenLoop, tally: Tally): Promise<void> {
  const pool = new ConnectionPool(loop.port, loop.connections);
  const measureFromMs = performance.now() + loop.warmUpSeconds * 1000;
  const untilMs = measureFromMs + loop.seconds * 1000;
  let inFlight = 0;
  let isMeasuring = false;

  const send = (dueMs: number): void => {
    const request = loop.take();
    if (loop.skipsWhenBusy === true && pool.isBusy) return;
    inFlight++;
    const isMeasured = dueMs >= measureFromMs;
    const bytes = () => {
      if (isMeasured) tally.ownDelay.add(performance.now() - dueMs);
      return request.bytes;
    };
    pool.send(bytes, (status, text) => {
      inFlight--;
      if (isMeasured) tally.answered(request, status, text, performance.now() - dueMs);
      else if (request.call === 'poll' && status === 200) request.journey.rememberState(text);
    });
  };
  await new Promise<void>((resolve) => {
    const tick = (): void => {
      const nowMs = performance.now();
      if (!isMeasuring && nowMs >= measureFromMs) {
        isMeasuring = true;
        tally.begin();
        loop.onMeasuring();
      }
      for (let dueMs = loop.dueMs(); dueMs <= nowMs && dueMs < untilMs; dueMs = loop.dueMs()) send(dueMs);
      if (nowMs >= untilMs) resolve();
      else setTimeout(tick, 1);
    };
    tick();
  });
  const giveUpAtMs = performance.now() + LAST_ANSWERS_WITHIN_MS;
  while (inFlight > 0 && performance.now() < giveUpAtMs)
    await new Promise((resolve) => setTimeout(resolve, 5));
  for (; inFlight > 0; inFlight--) tally.failed('no answer');
  pool.close();
}

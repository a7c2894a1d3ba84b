import { ConnectionPool } from './connection-pool.js';
import type { Outgoing } from './request-source.js';
import type { Tally } from './tally.js';

/** Students who wait have their own. */
const MOST_CONNECTIONS = 512;
/** What is not answered by then counts as failed. */
const LAST_ANSWERS_WITHIN_MS = 5_000;

export interface OpenLoop {
  port: number;
  /** At most; as many as a load balancer's to one task, unless told. */
  connections?: number | undefined;
  /** When the next request is due, by performance.now(). */
  dueMs: () => number;
  /** That request; from now on it is about the one after it. */
  take: () => Outgoing;
  onAnswer?: (request: Outgoing, dueMs: number, text: string) => void;
  measureFromMs: number;
  untilMs: number;
  onMeasuring: () => void;
}

/** Sends each request when it is due, whatever became of the ones before, and counts from then. */
export async function openLoop(loop: OpenLoop, tally: Tally): Promise<void> {
  const pool = new ConnectionPool(loop.port, loop.connections ?? MOST_CONNECTIONS);
  let underWay = 0;
  let isMeasuring = false;

  const send = (dueMs: number): void => {
    const request = loop.take();
    underWay++;
    const isMeasured = dueMs >= loop.measureFromMs;
    if (isMeasured) tally.ownDelay.add(performance.now() - dueMs);
    const bytes = () => {
      if (isMeasured) tally.untilSent.add(performance.now() - dueMs);
      return request.bytes;
    };
    pool.send(bytes, (status, text) => {
      underWay--;
      loop.onAnswer?.(request, dueMs, text);
      if (isMeasured) tally.answered(request, status, text, performance.now() - dueMs);
      else if (request.call === 'poll' && status === 200) request.journey.seen(text);
    });
  };
  await new Promise<void>((resolve) => {
    const tick = (): void => {
      const nowMs = performance.now();
      if (!isMeasuring && nowMs >= loop.measureFromMs) {
        isMeasuring = true;
        tally.begin();
        loop.onMeasuring();
      }
      for (let dueMs = loop.dueMs(); dueMs <= nowMs && dueMs < loop.untilMs; dueMs = loop.dueMs())
        send(dueMs);
      if (nowMs >= loop.untilMs) resolve();
      else setTimeout(tick, 1);
    };
    tick();
  });
  await settled(() => underWay === 0);
  for (; underWay > 0; underWay--) tally.failed('no answer');
  pool.close();
}

async function settled(isSettled: () => boolean): Promise<void> {
  const giveUpAtMs = performance.now() + LAST_ANSWERS_WITHIN_MS;
  while (!isSettled() && performance.now() < giveUpAtMs)
    await new Promise((resolve) => setTimeout(resolve, 5));
}

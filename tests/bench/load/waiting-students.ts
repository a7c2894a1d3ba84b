import { HttpConnection, retryAfterMs } from './http-connection.js';
import type { JourneyRequests } from './journey-requests.js';
import { openLoop, type OpenLoop } from './open-loop.js';
import type { LoadResult, WaitingStudentsOrder } from './orders.js';
import { Beats } from './phones.js';
import { Sequence } from './request-source.js';
import { Tally } from './tally.js';
import { Trainers } from './trainers.js';

const WAIT_SECONDS = 25;
const APPLIED = /\r\npreference-applied: wait/i;
const LAST_UPDATE = /"lastUpdate":"([^"]+)"/;
/** Phones do not all connect in the same moment either, and a listener's queue is bounded. */
const CONNECT_AT_ONCE = 100;
/**
 * The more of an address' ports are taken, the longer the kernel looks for another: with 10,000 students at an address each
 * further connection from it took 2 ms, and the trainers' connections that were opened while the service paused held the
 * load up for a second or two.
 */
const STUDENTS_PER_ADDRESS = 250;

/** Trainers send as phones do, while each student holds a request that the service answers when there is news. */
export async function waitForNews(
  order: WaitingStudentsOrder,
  journeys: readonly JourneyRequests[],
  onMeasuring: () => void,
): Promise<LoadResult> {
  const sequence = new Sequence(order.firstSequence);
  const tally = new Tally('mix');
  const students = new Students(order.port, tally);
  await students.connect(journeys.slice(0, order.students));
  if (tally.canWait) {
    const startMs = performance.now();
    const measureFromMs = startMs + order.warmUpSeconds * 1000;
    await openLoop(
      {
        port: order.port,
        ...updatesOf(order, journeys, sequence, startMs),
        measureFromMs,
        untilMs: measureFromMs + order.seconds * 1000,
        onMeasuring: () => {
          students.isMeasuring = true;
          onMeasuring();
        },
      },
      tally,
    );
  }
  students.leave();
  return tally.result(sequence, 0);
}

function updatesOf(
  order: WaitingStudentsOrder,
  journeys: readonly JourneyRequests[],
  sequence: Sequence,
  startMs: number,
): Pick<OpenLoop, 'dueMs' | 'take' | 'onAnswer'> {
  const timing = { startMs, intervalMs: order.intervalMs };
  if (!order.trainersHeed) {
    const beats = new Beats(['update'], journeys, sequence, timing);
    return { dueMs: () => beats.dueMs(), take: () => beats.take() };
  }
  const trainers = new Trainers(journeys, sequence, timing);
  return {
    dueMs: () => trainers.dueMs(),
    take: () => trainers.take(),
    onAnswer: (request, dueMs, text) => {
      trainers.heard(request, dueMs, text);
    },
  };
}

class Students {
  readonly #port: number;
  readonly #tally: Tally;
  readonly #connections: HttpConnection[] = [];
  isMeasuring = false;

  constructor(port: number, tally: Tally) {
    this.#port = port;
    this.#tally = tally;
  }

  /** All of them wait afterwards; or none, where the service does not hold the first one's answer back. */
  async connect(journeys: readonly JourneyRequests[]): Promise<void> {
    const [first] = journeys;
    if (first === undefined) return;
    this.#tally.canWait = await this.#isHeldBack(first);
    for (let from = 0; from < journeys.length && this.#tally.canWait; from += CONNECT_AT_ONCE) {
      const some = journeys.slice(from, from + CONNECT_AT_ONCE);
      await Promise.all(some.map((journey, index) => this.#sitDown(journey, from + index)));
    }
  }

  leave(): void {
    for (const connection of this.#connections) connection.close();
  }

  async #isHeldBack(journey: JourneyRequests): Promise<boolean> {
    const connection = await HttpConnection.open(this.#port);
    const ask = (request: string) =>
      new Promise<string>((resolve) => {
        connection.send(request, (_status, text) => {
          resolve(text);
        });
      });
    journey.seen(await ask(journey.live()));
    const answer = await ask(journey.wait(1));
    connection.close();
    return APPLIED.test(answer);
  }

  async #sitDown(journey: JourneyRequests, index: number): Promise<void> {
    const connection = await HttpConnection.open(this.#port, addressOf(index));
    this.#connections.push(connection);
    await new Promise<void>((resolve) => {
      connection.send(journey.live(), (_status, text) => {
        journey.seen(text);
        resolve();
      });
    });
    this.#waitOn(connection, journey);
  }

  #waitOn(connection: HttpConnection, journey: JourneyRequests): void {
    connection.send(journey.wait(WAIT_SECONDS), (status, text) => {
      if (status === 200) {
        journey.seen(text);
        const acceptedAt = LAST_UPDATE.exec(text)?.[1];
        if (this.isMeasuring && acceptedAt !== undefined)
          this.#tally.seen.add(Date.now() - Date.parse(acceptedAt));
      } else if (status !== 304) {
        if (this.isMeasuring) this.#tally.failed(`wait ${status}`);
        // As phones do: a second, where the answer names no pause.
        const pauseMs = retryAfterMs(text) ?? 1_000;
        if (connection.isOpen)
          setTimeout(() => {
            this.#waitOn(connection, journey);
          }, pauseMs);
        return;
      }
      this.#waitOn(connection, journey);
    });
  }
}

/** One of this machine's own; the trainers' connections have 127.0.0.1. */
function addressOf(index: number): string {
  const address = Math.floor(index / STUDENTS_PER_ADDRESS);
  return `127.0.${1 + Math.floor(address / 250)}.${1 + (address % 250)}`;
}

import { setTimeout as pause } from 'node:timers/promises';
import { Beats } from './beats.js';
import { HttpConnection, retryAfterMs } from './http-connection.js';
import type { JourneyRequests } from './journey-requests.js';
import { CONNECTIONS, openLoop } from './open-loop.js';
import type { LoadResult, WaitingOrder } from './orders.js';
import { Tally } from './tally.js';

const WAIT_SECONDS = 25;
const LAST_UPDATE = /"lastUpdate":"([^"]+)"/;
/** The backlog of a listening socket is bounded. */
const CONNECT_AT_ONCE = 100;
/** With thousands of connections from one address the kernel takes milliseconds to find the next free port. */
const STUDENTS_PER_ADDRESS = 250;

/** Trainers send every intervalMs, while each student waits for the next change with one poll after the other. */
export async function waitForChanges(
  { port, intervalMs, warmUpSeconds, seconds }: WaitingOrder,
  journeys: readonly JourneyRequests[],
  onMeasuring: () => void,
): Promise<LoadResult> {
  const tally = new Tally('mix');
  const students = new Students(port, tally);
  for (let from = 0; from < journeys.length; from += CONNECT_AT_ONCE) {
    const some = journeys.slice(from, from + CONNECT_AT_ONCE);
    await Promise.all(some.map((journey, index) => students.connect(journey, from + index)));
  }
  const { dueMs, take } = new Beats(['update'], journeys, intervalMs);
  const loop = { port, connections: CONNECTIONS, warmUpSeconds, seconds, dueMs, take };
  const begin = () => {
    students.isMeasuring = true;
    onMeasuring();
  };
  await openLoop({ ...loop, onMeasuring: begin }, tally);
  students.close();
  return tally.result();
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

  /** Polls once, and then waits until it is closed. */
  async connect(journey: JourneyRequests, index: number): Promise<void> {
    const connection = await HttpConnection.open(this.#port, addressOf(index));
    this.#connections.push(connection);
    await new Promise<void>((resolve) => {
      connection.send(journey.live, (_status, text) => {
        journey.rememberState(text);
        resolve();
      });
    });
    this.#wait(connection, journey);
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  #wait(connection: HttpConnection, journey: JourneyRequests): void {
    connection.send(journey.wait(WAIT_SECONDS), (status, text) => {
      if (status === 200) {
        journey.rememberState(text);
        const acceptedAt = LAST_UPDATE.exec(text)?.[1];
        if (this.isMeasuring && acceptedAt !== undefined)
          this.#tally.seen.add(Date.now() - Date.parse(acceptedAt));
      }
      if (status === 200 || status === 304) this.#wait(connection, journey);
      else void this.#waitLater(connection, journey, status, text);
    });
  }

  async #waitLater(connection: HttpConnection, journey: JourneyRequests, status: number, text: string) {
    if (this.isMeasuring) this.#tally.failed(`wait ${status}`);
    await pause(retryAfterMs(text) ?? 1_000);
    if (connection.isOpen) this.#wait(connection, journey);
  }
}

/** One of this machine's loopback addresses; the trainers' connections come from 127.0.0.1. */
function addressOf(index: number): string {
  const address = Math.floor(index / STUDENTS_PER_ADDRESS);
  return `127.0.${1 + Math.floor(address / 250)}.${1 + (address % 250)}`;
}

import { say } from '../../support/stack.js';
import { median, milliseconds } from '../../support/statistics.js';
import { saturationSettings, type Bench, type RunningContender } from '../bench.js';
import { atMost, type PartReport } from '../report/part-report.js';
import { sendEveryTokenOnce } from './round.js';

const ROUNDS = 5;
const SECONDS = 6;
const PER_SECOND = 400;
const CONNECTIONS = 1_000;
const PAGE = 200;

/** How long an admin's list of all journeys takes, page after page, and what it costs the trainers meanwhile. */
export async function measureFleet(bench: Bench): Promise<PartReport> {
  const { journeys } = bench.options;
  const running = await bench.start(bench.contenders.service, saturationSettings);
  await sendEveryTokenOnce(bench, running);
  const token = await bench.stack.tokens.issue(crypto.randomUUID(), 'admin');
  const [alone, beside, seconds]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < ROUNDS; round++) {
    alone.push(await updatesP99(bench, running));
    const stop = new AbortController();
    const listing = listAllUntil(stop.signal, running, token, journeys);
    beside.push(await updatesP99(bench, running));
    stop.abort();
    seconds.push(...(await listing));
  }
  await running.stop();
  const [ms, msBeside, total] = [median(alone), median(beside), median(seconds)];
  say(`list of ${journeys} journeys: ${total.toFixed(2)} s`);
  return {
    title: `List of ${journeys} active journeys beside ${PER_SECOND} updates/s`,
    rows: [
      {
        'in full, s': total.toFixed(2),
        'updates p99 without, ms': milliseconds(ms),
        'updates p99 beside it, ms': milliseconds(msBeside),
      },
    ],
    bars: [
      atMost('list of all journeys', total, 2, ' s'),
      atMost('list of all journeys: growth of the p99 of updates', msBeside - ms, 50, ' ms', 1),
    ],
    notes: [`Medians of ${ROUNDS} rounds; ${PAGE} journeys a page, one list after the other.`],
  };
}

async function updatesP99(bench: Bench, { port }: RunningContender): Promise<number> {
  const { accepted } = await bench.load.run({
    ...{ kind: 'randomArrivals', port, journeys: bench.options.journeys, requests: 'update' },
    ...{
      connections: CONNECTIONS,
      skipsWhenBusy: false,
      perSecond: PER_SECOND,
      warmUpSeconds: 0.25,
      seconds: SECONDS,
    },
  });
  return accepted?.p99 ?? NaN;
}

/** Returns the seconds of each complete list. */
async function listAllUntil(
  stop: AbortSignal,
  { port }: RunningContender,
  token: string,
  journeys: number,
): Promise<number[]> {
  const seconds: number[] = [];
  while (!stop.aborted) {
    const startedAtMs = performance.now();
    const listed = await listAll(port, token);
    if (listed !== journeys) throw new Error(`${listed} of ${journeys} journeys were listed`);
    seconds.push((performance.now() - startedAtMs) / 1_000);
  }
  return seconds;
}

async function listAll(port: number, token: string): Promise<number> {
  const url = `http://127.0.0.1:${port}/api/v1/admin/location-tracking/journeys?limit=${PAGE}`;
  let listed = 0;
  for (let cursor: string | null = ''; cursor !== null;) {
    const response = await fetch(cursor === '' ? url : `${url}&cursor=${cursor}`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    const { data } = (await response.json()) as { data: { journeys: unknown[]; nextCursor: string | null } };
    listed += data.journeys.length;
    cursor = data.nextCursor;
  }
  return listed;
}

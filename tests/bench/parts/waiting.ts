import { openFilesLimit } from '../../../src/dev/load/open-files.js';
import type { Bench } from '../bench.js';
import { productionRules } from '../bench-journeys.js';
import { floor, ours, type ContenderKind } from '../contenders/registry.js';
import { residentMebibytes } from '../cpu-time.js';
import type { LoadResult } from '../load/orders.js';
import { atMost, notMeasured, type Bar } from '../report/bar.js';
import type { PartReport } from '../report/part-report.js';
import { milliseconds, percent } from '../report/statistics.js';
import { UsageMeter } from '../usage-meter.js';
import { introduceAll } from './round.js';

/** Once round; and until what trainers are told has settled, after all students came at once. */
const WARM_UP_SECONDS = 6;
const STEERED_WARM_UP_SECONDS = 60;
/** With one or two of V8's collections of all of the heap, which come every two or three minutes. */
const STEERED_MEASURED_SECONDS = 240;
const MEASURED_SECONDS = 60;
/** Files and sockets that the load and the service have besides those of waiting students. */
const OTHER_FILES = 700;

const UPDATE_P99_LIMIT_MS = 50;
const SEEN_P95_LIMIT_MS = 100;

interface Waiting {
  result: LoadResult;
  row: Record<string, string>;
  /** How often each trainer came. */
  everyMs: number;
}

/** Each student holds a request that the service answers when the trainer has moved; the same with a bare server. */
export async function measureWaiting(bench: Bench): Promise<PartReport> {
  const { journeys } = bench.options;
  const students = Math.min(journeys, openFilesLimit() - OTHER_FILES);
  const { updateIntervalMs } = productionRules;
  const seconds = STEERED_MEASURED_SECONDS;
  const { result, row, everyMs } = await measureOne(bench, ours, { students, seconds, come: 'when told to' });
  const title = `${journeys} journeys on one core, students on Prefer: wait`;
  if (!result.canWait) {
    const bars = limits().map(([what, limit]) => notMeasured(what, `≤ ${limit} ms`, 'not held back'));
    const notes = [
      'The service answers a poll with Prefer: wait without Preference-Applied, so nobody can wait.',
    ];
    return { title, rows: [], bars, notes };
  }
  const others = [
    await measureOne(bench, floor, { students, seconds, come: Math.round(everyMs / 100) * 100 }),
    await measureOne(bench, ours, { students, seconds: MEASURED_SECONDS, come: updateIntervalMs }),
    await measureOne(bench, floor, { students, seconds: MEASURED_SECONDS, come: updateIntervalMs }),
  ];
  const figures = [result.updates?.p99, result.seen?.p95];
  const bars: Bar[] = limits().map(([what, limit], index) =>
    atMost(what, figures[index] ?? NaN, limit, ' ms'),
  );
  const failed = Object.values(result.failures).reduce((sum, count) => sum + count, 0);
  bars.push(atMost('waiting students: answers that were not as due', failed, 0, '', 0));
  const notes = [
    'The limits are of the first row, where trainers come when they are told to, as the apps do: the busier the process, the later. In the second they come to the floor as often as they came to ours, in the last two every 5 s, whatever they are told.',
    'The floor waits with nothing but a table of answers by session: what these limits cost Node at the least.',
  ];
  if (students < journeys) notes.push(fewerStudents(students));
  return { title, rows: [row, ...others.map((other) => other.row)], bars, notes };
}

interface Crowd {
  students: number;
  seconds: number;
  /** Or how often, in milliseconds. */
  come: 'when told to' | number;
}

async function measureOne(bench: Bench, kind: ContenderKind, crowd: Crowd): Promise<Waiting> {
  const { students, come } = crowd;
  const { journeys } = bench.options;
  const redis = await bench.sharedRedis();
  const contender = await bench.start(kind, redis, {});
  const trainersHeed = come === 'when told to';
  const intervalMs = trainersHeed ? productionRules.updateIntervalMs : come;
  const warmUpSeconds = trainersHeed ? STEERED_WARM_UP_SECONDS : WARM_UP_SECONDS;
  bench.say(
    `${kind.name}: ${students} waiting students of ${journeys} journeys, for ${warmUpSeconds + crowd.seconds} s`,
  );
  await introduceAll(bench, contender, redis, journeys);
  const meter = new UsageMeter(contender, redis);
  const result = await bench.load.run(
    {
      kind: 'waitingStudents',
      port: contender.port,
      ...{ journeys, students, trainersHeed, intervalMs },
      ...{ warmUpSeconds, seconds: crowd.seconds },
    },
    () => {
      meter.begin();
    },
  );
  const { seconds, serviceSeconds, redisSeconds, heldOffSeconds } = meter.usage();
  const mebibytes = residentMebibytes(contender.pid);
  await contender.stop();
  const { answers, updates, seen, ownDelay, untilSent, failures } = result;
  const everyMs = (journeys * seconds * 1000) / answers;
  const row = {
    contender: kind.name,
    'trainers come': trainersHeed ? come : `every ${intervalMs / 1000} s`,
    'students waiting': String(students),
    'updates/s': (answers / seconds).toFixed(0),
    'an update every, s': (everyMs / 1000).toFixed(1),
    'positions seen/s': ((seen?.count ?? 0) / seconds).toFixed(0),
    'updates p50 / p95 / p99, ms': [updates?.p50, updates?.p95, updates?.p99].map(milliseconds).join(' / '),
    "of that the load's own, until sent, p99": [ownDelay?.p99, untilSent?.p99].map(milliseconds).join(' / '),
    'seen after p50 / p95 / p99, ms': [seen?.p50, seen?.p95, seen?.p99].map(milliseconds).join(' / '),
    'of its core': percent(serviceSeconds / seconds),
    'CPU, µs': ((serviceSeconds * 1e6) / (answers + (seen?.count ?? 0))).toFixed(0),
    'held off its core': percent(heldOffSeconds / seconds),
    'Redis, of a core': percent(redisSeconds / seconds),
    'not as due': Object.keys(failures).length === 0 ? 'none' : JSON.stringify(failures),
    'RSS, MiB': mebibytes.toFixed(0),
  };
  return { result, row, everyMs };
}

function limits(): [what: string, limitMs: number][] {
  return [
    ['waiting students: p99 of updates', UPDATE_P99_LIMIT_MS],
    ['waiting students: p95 from accepted until seen', SEEN_P95_LIMIT_MS],
  ];
}

function fewerStudents(students: number): string {
  return `This system lets a process open ${openFilesLimit()} files and sockets, so only ${students} students wait.`;
}

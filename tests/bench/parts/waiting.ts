import { openFilesLimit } from '../../../src/dev/load/open-files.js';
import type { Bench } from '../bench.js';
import { productionRules } from '../bench-journeys.js';
import { ours } from '../contenders/registry.js';
import { residentMebibytes } from '../cpu-time.js';
import { atMost, notMeasured, type Bar } from '../report/bar.js';
import type { PartReport } from '../report/part-report.js';
import { milliseconds, percent } from '../report/statistics.js';
import { UsageMeter } from '../usage-meter.js';
import { introduceAll } from './round.js';

/** Once round. */
const WARM_UP_SECONDS = 6;
const MEASURED_SECONDS = 30;
/** Files and sockets that the load and the service have besides those of waiting students. */
const OTHER_FILES = 700;

const UPDATE_P99_LIMIT_MS = 50;
const SEEN_P95_LIMIT_MS = 100;

/** Each student holds a request that the service answers when the trainer has moved. */
export async function measureWaiting(bench: Bench): Promise<PartReport> {
  const { journeys } = bench.options;
  const students = Math.min(journeys, openFilesLimit() - OTHER_FILES);
  const redis = await bench.sharedRedis();
  const service = await bench.start(ours, redis, {});
  bench.say(
    `waiting students: ${students} of ${journeys} journeys, for ${WARM_UP_SECONDS + MEASURED_SECONDS} s`,
  );
  await introduceAll(bench, service, redis, journeys);
  const meter = new UsageMeter(service, redis);
  const result = await bench.load.run(
    {
      kind: 'waitingStudents',
      port: service.port,
      ...{ journeys, students, intervalMs: productionRules.updateIntervalMs },
      ...{ warmUpSeconds: WARM_UP_SECONDS, seconds: MEASURED_SECONDS },
    },
    () => {
      meter.begin();
    },
  );
  const { seconds, serviceSeconds, redisSeconds, heldOffSeconds } = meter.usage();
  const mebibytes = residentMebibytes(service.pid);
  await service.stop();

  const title = `${journeys} journeys on one core, students on Prefer: wait`;
  if (!result.canWait) {
    const bars = limits().map(([what, limit]) => notMeasured(what, `≤ ${limit} ms`, 'not held back'));
    const notes = [
      'The service answers a poll with Prefer: wait without Preference-Applied, so nobody can wait.',
    ];
    return { title, rows: [], bars, notes };
  }
  const { updates, seen, failures } = result;
  const figures = [updates?.p99, seen?.p95];
  const bars: Bar[] = limits().map(([what, limit], index) =>
    atMost(what, figures[index] ?? NaN, limit, ' ms'),
  );
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
  bars.push(atMost('waiting students: answers that were not as due', failed, 0, '', 0));
  return {
    title,
    rows: [
      {
        'students waiting': String(students),
        'updates/s': (result.answers / seconds).toFixed(0),
        'positions seen/s': ((seen?.count ?? 0) / seconds).toFixed(0),
        'updates p50 / p99, ms': `${milliseconds(updates?.p50)} / ${milliseconds(updates?.p99)}`,
        'seen after p50 / p95 / p99, ms': [seen?.p50, seen?.p95, seen?.p99].map(milliseconds).join(' / '),
        'service, of its core': percent(serviceSeconds / seconds),
        'held off its core': percent(heldOffSeconds / seconds),
        'Redis, of a core': percent(redisSeconds / seconds),
        'not as due': Object.keys(failures).length === 0 ? 'none' : JSON.stringify(failures),
        'RSS, MiB': mebibytes.toFixed(0),
      },
    ],
    bars,
    notes: students < journeys ? [fewerStudents(students)] : [],
  };
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

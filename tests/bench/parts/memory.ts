import { residentMegabytes } from '../../support/process-usage.js';
import { say } from '../../support/stack.js';
import { milliseconds, percent } from '../../support/statistics.js';
import { productionSettings, type Bench } from '../bench.js';
import { UPDATE_INTERVAL_MS } from '../bench-journeys.js';
import { atMost, type PartReport } from '../report/part-report.js';
import { failureCount, failureText, measure, sendEveryTokenOnce } from './round.js';

const WARM_UP_SECONDS = 6;
const MEASURED_SECONDS = 30;
const SAMPLE_EVERY_MS = 2_000;
const MEGABYTES = 300;
const REDIS_BYTES = 2_200;

/** The service with an update and a poll of each journey every 5 s, and what a journey takes of Redis. */
export async function measureMemory(bench: Bench): Promise<PartReport> {
  const { journeys } = bench.options;
  const { service } = bench.contenders;
  const running = await bench.start(service, productionSettings);
  await sendEveryTokenOnce(bench, running);
  say(`${journeys} polling journeys for ${WARM_UP_SECONDS + MEASURED_SECONDS} s`);
  const samples: number[] = [];
  const sampling = setInterval(() => samples.push(residentMegabytes(running.pid)), SAMPLE_EVERY_MS);
  const measured = await measure(bench, running, {
    ...{ kind: 'polling', port: running.port, journeys, intervalMs: UPDATE_INTERVAL_MS },
    ...{ warmUpSeconds: WARM_UP_SECONDS, seconds: MEASURED_SECONDS },
  });
  clearInterval(sampling);
  await running.stop();
  const { result, serviceShare, redisShare } = measured;
  const { updates, polls } = result;
  const { bytesPerJourney } = running.redis;
  const megabytes = Math.max(...samples);
  return {
    title: `${journeys} polling journeys on one core, and memory`,
    rows: [
      {
        'requests/s': (result.answers / result.seconds).toFixed(0),
        'of its core': percent(serviceShare),
        'Redis, of a core': percent(redisShare),
        'updates p50 / p99, ms': `${milliseconds(updates?.p50)} / ${milliseconds(updates?.p99)}`,
        'polls p50 / p99, ms': `${milliseconds(polls?.p50)} / ${milliseconds(polls?.p99)}`,
        unexpected: failureText(result),
        'RSS, MB': megabytes.toFixed(0),
        'Redis, bytes a journey': bytesPerJourney.toFixed(0),
      },
    ],
    bars: [
      atMost('polling: RSS', megabytes, MEGABYTES, ' MB', 0),
      atMost('polling: unexpected answers', failureCount(result), 0, '', 0),
      atMost('Redis memory of a journey', bytesPerJourney, REDIS_BYTES, ' bytes', 0),
    ],
    notes: [
      'Redis memory: used_memory after every journey has started and sent a position, minus that of the empty Redis and the buffers of connections.',
    ],
  };
}

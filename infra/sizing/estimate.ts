import { BENCH_JOURNEYS, benchFigures } from './bench-figures.js';
import { internetTiers, prices } from './prices.js';

const measured = benchFigures();

/** An update and a poll every 5 s, and one waiting connection. */
const perJourney = { requestsPerSecond: 0.4, waitingStudents: 1, minutes: 30, events: 3 };

/** Target utilization; the rest is headroom for growth and for the loss of a zone. */
const target = { taskCpu: 0.6, taskMemory: 0.7, redisCpu: 0.6 };
const TASK_BYTES = 2 * 2 ** 30;

/** Not measured. Bytes are per request, with headers and TLS. */
const assumed = {
  bytesInAndOut: 1_200,
  bytesOut: 600,
  bytesToRedisAndBack: 1_000,
  logGigabytesPerTask: 20,
  averageOfPeak: 0.3,
};
const canary = { cores: 0.25, gigabytes: 0.5 };

const HOURS = 730;
const SECONDS = HOURS * 3_600;

export interface Size {
  requests: number;
  serviceCores: number;
  tasks: number;
  redisCores: number;
  redisBytes: number;
  shards: number;
}

/** What so many concurrent journeys need at the peak. */
export function sizeFor(journeys: number): Size {
  const times = journeys / BENCH_JOURNEYS;
  const serviceCores = times * measured.serviceCore;
  const redisCores = times * measured.redisCore;
  const waitingBytesPerTask = target.taskMemory * TASK_BYTES - measured.processBytes;
  const waitingBytes = journeys * perJourney.waitingStudents * measured.bytesPerWaitingStudent;
  return {
    requests: journeys * perJourney.requestsPerSecond,
    serviceCores,
    tasks: Math.max(
      2,
      Math.ceil(Math.max(serviceCores / target.taskCpu, waitingBytes / waitingBytesPerTask)),
    ),
    redisCores,
    redisBytes: journeys * measured.redisBytesPerJourney,
    shards: Math.ceil(redisCores / target.redisCpu),
  };
}

/** How many journeys one Redis primary serves. */
export function journeysPerPrimary(): number {
  return (target.redisCpu / measured.redisCore) * BENCH_JOURNEYS;
}

/** US dollars, by what they are for. */
export function monthlyCosts(journeys: number): Record<string, number> {
  const { requests, tasks, shards } = sizeFor(journeys);
  const average = assumed.averageOfPeak;
  const averageTasks = Math.max(2, tasks * average);
  const taskHours = (cores: number, gigabytes: number) =>
    HOURS * (cores * prices.taskCore.dollars + gigabytes * prices.taskGigabyte.dollars);
  const gigabytes = (bytes: number) => (requests * average * bytes * SECONDS) / 1e9;
  const connections = journeys * average * 2;
  const units = Math.max(gigabytes(assumed.bytesInAndOut) / HOURS, connections / 3_000);
  const starts = (journeys * average * SECONDS) / (perJourney.minutes * 60);
  const logs = averageTasks * assumed.logGigabytesPerTask;
  const inspected = (requests * average * SECONDS) / 1e6;
  return {
    Tasks: averageTasks * taskHours(1, 2) + taskHours(canary.cores, canary.gigabytes),
    Redis: shards * 2 * HOURS * prices.redisNode.dollars,
    'Load balancer': HOURS * (prices.balancer.dollars + units * prices.balancerUnit.dollars),
    Firewall: prices.firewall.dollars + inspected * prices.millionInspected.dollars,
    'Internet traffic': internetCost(gigabytes(assumed.bytesOut)),
    'Traffic between zones': (gigabytes(assumed.bytesToRedisAndBack) / 2) * prices.zoneGigabyte.dollars,
    'NAT and logs':
      2 * HOURS * prices.nat.dollars + logs * (prices.natGigabyte.dollars + prices.logGigabyte.dollars),
    Events: ((starts * perJourney.events) / 1e6) * prices.millionEvents.dollars,
    Monitoring: prices.monitoring.dollars,
  };
}

function internetCost(gigabytes: number): number {
  let remaining = gigabytes;
  return internetTiers.reduce((sum, [terabytes, dollars]) => {
    const inTier = Math.min(remaining, terabytes * 1_000);
    remaining -= inTier;
    return sum + inTier * dollars;
  }, 0);
}

export const benchDate = measured.date;

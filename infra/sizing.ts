/**
 * Estimates tasks, Redis nodes and monthly cost for a number of concurrent journeys. README.md contains its output, and a
 * test compares the two: node --import tsx sizing.ts
 */

/** CPU per request in the mix of 10,000 journeys (tests/bench/RESULTS.md): Node 24, one core of an x86 server. */
const measured = {
  requestServiceMicros: 135,
  requestRedisMicros: 58,
  redisBytesPerJourney: 2_100,
  processBytes: 250e6,
  bytesPerWaitingStudent: 30e3,
};

/** An update and a poll every 5 s, and one waiting connection. */
const perJourney = { updatesPerSecond: 0.2, pollsPerSecond: 0.2, waitingStudents: 1, minutes: 30, events: 3 };

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

/** US dollars, us-east-1, on demand, as published at the beginning of 2025. Check before use. */
const price = {
  vcpuHour: 0.03238,
  gigabyteHour: 0.00356,
  redisNodeHour: 0.158,
  balancerHour: 0.0225,
  balancerUnitHour: 0.008,
  natHour: 0.045,
  natGigabyte: 0.045,
  zoneGigabyte: 0.02,
  logGigabyte: 0.5,
  millionEvents: 1.9,
  monitoring: 30,
};
/** Tiers of outbound traffic: size of the tier, price per gigabyte within it. */
const internetTiers: [terabytes: number, gigabytePrice: number][] = [
  [10, 0.09],
  [40, 0.085],
  [100, 0.07],
  [Infinity, 0.05],
];
const HOURS = 730;
const SECONDS = HOURS * 3_600;

function sizesFor(journeys: number) {
  const updates = journeys * perJourney.updatesPerSecond;
  const polls = journeys * perJourney.pollsPerSecond;
  const requests = updates + polls;
  const serviceCores = (requests * measured.requestServiceMicros) / 1e6;
  const redisCores = (requests * measured.requestRedisMicros) / 1e6;
  const waitingBytesPerTask = target.taskMemory * TASK_BYTES - measured.processBytes;
  const waitingBytes = journeys * perJourney.waitingStudents * measured.bytesPerWaitingStudent;
  return {
    requests,
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

function monthlyCosts(journeys: number): Record<string, number> {
  const { requests, tasks, shards } = sizesFor(journeys);
  const average = assumed.averageOfPeak;
  const averageTasks = Math.max(2, tasks * average);
  const gigabytes = (bytes: number) => (requests * average * bytes * SECONDS) / 1e9;
  const connections = journeys * average * 2;
  const units = Math.max(gigabytes(assumed.bytesInAndOut) / HOURS, connections / 3_000);
  const starts = (journeys * average * SECONDS) / (perJourney.minutes * 60);
  const logs = averageTasks * assumed.logGigabytesPerTask;
  return {
    Tasks: averageTasks * HOURS * (price.vcpuHour + 2 * price.gigabyteHour),
    Redis: shards * 2 * HOURS * price.redisNodeHour,
    'Load balancer': HOURS * (price.balancerHour + units * price.balancerUnitHour),
    'Internet traffic': internetCost(gigabytes(assumed.bytesOut)),
    'Traffic between zones': (gigabytes(assumed.bytesToRedisAndBack) / 2) * price.zoneGigabyte,
    'NAT and logs': 2 * HOURS * price.natHour + logs * (price.natGigabyte + price.logGigabyte),
    Events: ((starts * perJourney.events) / 1e6) * price.millionEvents,
    Monitoring: price.monitoring,
  };
}

function internetCost(gigabytes: number): number {
  let remaining = gigabytes;
  return internetTiers.reduce((sum, [terabytes, gigabytePrice]) => {
    const inTier = Math.min(remaining, terabytes * 1_000);
    remaining -= inTier;
    return sum + inTier * gigabytePrice;
  }, 0);
}

const number = (value: number, digits = 0) =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
const dollars = (value: number) => number(value < 1_000 ? value : Math.round(value / 10) * 10);

function table(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_cell, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [header = [], ...body] = rows;
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}

const scenarios = [10_000, 100_000, 1_000_000];
const headers = scenarios.map((journeys) => `${number(journeys)} journeys`);
const sizes = scenarios.map(sizesFor);
const costs = scenarios.map(monthlyCosts);
const sizeRow = (name: string, cell: (size: (typeof sizes)[number]) => string) => [name, ...sizes.map(cell)];

process.stdout.write(
  `${table([
    ['at the peak', ...headers],
    sizeRow('requests per second', ({ requests }) => number(requests)),
    sizeRow('cores used by the service', ({ serviceCores }) => number(serviceCores, 2)),
    sizeRow('tasks', ({ tasks }) => number(tasks)),
    sizeRow('cores used by Redis', ({ redisCores }) => number(redisCores, 2)),
    sizeRow('Redis memory, MB', ({ redisBytes }) => number(redisBytes / 1e6)),
    sizeRow('Redis primaries', ({ shards }) => number(shards)),
  ])}\n\n${table([
    ['US$ per month', ...headers],
    ...Object.keys(costs[0] ?? {}).map((name) => [name, ...costs.map((cost) => dollars(cost[name] ?? 0))]),
    [
      '**Total**',
      ...costs.map((cost) => `**${dollars(Object.values(cost).reduce((sum, each) => sum + each, 0))}**`),
    ],
  ])}\n`,
);

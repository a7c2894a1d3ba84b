/**
 * How many tasks and nodes so many journeys at once take, and what that costs a month. README.md has what it prints;
 * change the numbers here and put the new tables there: node --import tsx sizing.ts
 */

/**
 * Measured: README.md of the service, Speed (Node 24, one core of an x86 server). Of a request in the mix of 10,000 journeys
 * at their own pace: at saturation one costs half of it, because more of them share what a turn costs. Between what it was on
 * the machine's good and bad hours, 128 to 145.
 */
const measured = {
  requestServiceMicros: 135,
  requestRedisMicros: 58,
  redisBytesPerJourney: 2_100,
  processBytes: 250e6,
  bytesPerWaitingStudent: 30e3,
};

/** Of a journey: an update and a poll every 5 s, by a student who waits on a connection. */
const perJourney = { updatesPerSecond: 0.2, pollsPerSecond: 0.2, waitingStudents: 1, minutes: 30, events: 3 };

/** How full things may be, so that the next minute's growth and a lost zone find room. */
const atMost = { taskCpu: 0.6, taskMemory: 0.7, redisCpu: 0.6 };
const TASK_BYTES = 2 * 2 ** 30;

/** What is not measured here: bytes with headers and TLS, and how much of the month's peak is its average. */
const assumed = {
  bytesInAndOut: 1_200,
  bytesOut: 600,
  bytesToRedisAndBack: 1_000,
  logGigabytesPerTask: 20,
  averageOfPeak: 0.3,
};

/** US dollars, us-east-1, on demand, as published at the beginning of 2025; not looked up since. */
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
  watching: 30,
};
/** Of traffic to the internet: so many terabytes at so much a gigabyte, and then the next. */
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
  const room = atMost.taskMemory * TASK_BYTES - measured.processBytes;
  const waiting = (journeys * perJourney.waitingStudents * measured.bytesPerWaitingStudent) / room;
  return {
    requests,
    serviceCores,
    tasks: Math.max(2, Math.ceil(Math.max(serviceCores / atMost.taskCpu, waiting))),
    redisCores,
    redisBytes: journeys * measured.redisBytesPerJourney,
    shards: Math.ceil(redisCores / atMost.redisCpu),
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
    'To the internet': internet(gigabytes(assumed.bytesOut)),
    'Between zones': (gigabytes(assumed.bytesToRedisAndBack) / 2) * price.zoneGigabyte,
    'NAT, log': 2 * HOURS * price.natHour + logs * (price.natGigabyte + price.logGigabyte),
    Events: ((starts * perJourney.events) / 1e6) * price.millionEvents,
    Watching: price.watching,
  };
}

function internet(gigabytes: number): number {
  let left = gigabytes;
  return internetTiers.reduce((sum, [terabytes, each]) => {
    const taken = Math.min(left, terabytes * 1_000);
    left -= taken;
    return sum + taken * each;
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
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}

const all = [10_000, 100_000, 1_000_000];
const heads = all.map((journeys) => `${number(journeys)} journeys`);
const sizes = all.map(sizesFor);
const costs = all.map(monthlyCosts);
const sizeRow = (name: string, cell: (size: (typeof sizes)[number]) => string) => [name, ...sizes.map(cell)];

process.stdout.write(
  `${table([
    ['at once', ...heads],
    sizeRow('requests a second', ({ requests }) => number(requests)),
    sizeRow("cores' worth of service", ({ serviceCores }) => number(serviceCores, 2)),
    sizeRow('tasks', ({ tasks }) => number(tasks)),
    sizeRow("cores' worth of Redis", ({ redisCores }) => number(redisCores, 2)),
    sizeRow('memory of Redis, MB', ({ redisBytes }) => number(redisBytes / 1e6)),
    sizeRow('primaries of Redis', ({ shards }) => number(shards)),
  ])}\n\n${table([
    ['$ a month', ...heads],
    ...Object.keys(costs[0] ?? {}).map((name) => [name, ...costs.map((cost) => dollars(cost[name] ?? 0))]),
    [
      '**All**',
      ...costs.map((cost) => `**${dollars(Object.values(cost).reduce((sum, each) => sum + each, 0))}**`),
    ],
  ])}\n`,
);

// npm run sizing, in infra: prints what a number of concurrent journeys needs and costs. README.md contains its output, and a
// test compares the two.
import { benchDate, journeysPerPrimary, monthlyCosts, sizeFor, type Size } from './estimate.js';
import { prices } from './prices.js';

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
const sizes = scenarios.map(sizeFor);
const costs = scenarios.map(monthlyCosts);
const sizeRow = (name: string, cell: (size: Size) => string) => [name, ...sizes.map(cell)];

const sizeTable = table([
  ['at the peak', ...headers],
  sizeRow('requests per second', ({ requests }) => number(requests)),
  sizeRow('cores used by the service', ({ serviceCores }) => number(serviceCores, 2)),
  sizeRow('tasks', ({ tasks }) => number(tasks)),
  sizeRow('cores used by Redis', ({ redisCores }) => number(redisCores, 2)),
  sizeRow('Redis memory, MB', ({ redisBytes }) => number(redisBytes / 1e6)),
  sizeRow('Redis primaries (`redis.shards`)', ({ shards }) => number(shards)),
]);
const sum = (cost: Record<string, number>) => Object.values(cost).reduce((total, each) => total + each, 0);
const totalRow = (name: string, less: (cost: Record<string, number>) => number) => [
  `**${name}**`,
  ...costs.map((cost) => `**${dollars(sum(cost) - less(cost))}**`),
];
const costTable = table([
  ['US$ per month', ...headers],
  ...Object.keys(costs[0] ?? {}).map((name) => [name, ...costs.map((cost) => dollars(cost[name] ?? 0))]),
  totalRow('Total', () => 0),
  totalRow('Total without the firewall', ({ Firewall = 0 }) => Firewall),
]);
const priceTable = table([
  ['US$', 'per', 'as of', 'page'],
  ...Object.values(prices).map(({ dollars, per, asOf, page }) => [String(dollars), per, asOf, page]),
]);
const perPrimary = number(Math.floor(journeysPerPrimary() / 1_000) * 1_000);

process.stdout.write(
  [
    `By the benchmark of ${benchDate}; one Redis primary serves about ${perPrimary} journeys.`,
    sizeTable,
    costTable,
    priceTable,
  ].join('\n\n') + '\n',
);

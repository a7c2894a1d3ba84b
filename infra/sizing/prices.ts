/** A list price in US dollars, us-east-1, on demand. */
interface Price {
  dollars: number;
  per: string;
  /** When it was published. */
  asOf: string;
  /** Where to check it. */
  page: string;
}

const EARLY_2025 = 'early 2025';

export const prices = {
  taskCore: price(0.03238, 'vCPU and hour, ARM64', EARLY_2025, 'fargate'),
  taskGigabyte: price(0.00356, 'GB and hour, ARM64', EARLY_2025, 'fargate'),
  redisNode: price(0.1264, 'hour of cache.m7g.large, Valkey', EARLY_2025, 'elasticache'),
  balancer: price(0.0225, 'hour', EARLY_2025, 'elasticloadbalancing'),
  balancerUnit: price(0.008, 'capacity unit and hour', EARLY_2025, 'elasticloadbalancing'),
  firewall: price(7, 'month of an ACL with two rules', '2026-05', 'waf'),
  millionInspected: price(0.6, 'million requests', '2026-05', 'waf'),
  nat: price(0.045, 'hour', EARLY_2025, 'vpc'),
  natGigabyte: price(0.045, 'GB', EARLY_2025, 'vpc'),
  zoneGigabyte: price(0.02, 'GB between zones, both directions', EARLY_2025, 'ec2/on-demand'),
  internetGigabyte: price(0.09, 'GB, the first 10 TB', EARLY_2025, 'ec2/on-demand'),
  logGigabyte: price(0.5, 'GB', EARLY_2025, 'cloudwatch'),
  millionEvents: price(1.9, 'million events: publish, archive, SNS, SQS', EARLY_2025, 'eventbridge'),
  monitoring: price(30, 'month of alarms, dashboard and metrics', EARLY_2025, 'cloudwatch'),
} satisfies Record<string, Price>;

/** Tiers of outbound traffic: size of the tier, price per gigabyte within it. */
export const internetTiers: [terabytes: number, dollars: number][] = [
  [10, prices.internetGigabyte.dollars],
  [40, 0.085],
  [100, 0.07],
  [Infinity, 0.05],
];

function price(dollars: number, per: string, asOf: string, service: string): Price {
  return { dollars, per, asOf, page: `aws.amazon.com/${service}/pricing` };
}

import type { ContenderName } from '../contenders/registry.js';
import type { RequestKind } from '../load/orders.js';
import type { Costs } from '../parts/cost.js';
import { atLeast, atMost, type Bar } from './bar.js';
import type { PartReport, Row } from './part-report.js';
import { median, milliseconds, percent, ratios, withSpread } from './statistics.js';

const titles: Record<RequestKind, string> = {
  update: 'Update',
  live: 'Live, 200',
  unchanged: 'Live, 304',
  mix: 'Mix of an update and a poll in turn',
};

/** Times of what others cost that the service may cost; whole-times less for the design that it takes the place of. */
const TIMES_FLOOR = 1.5;
const TIMES_FASTIFY = 1;
const TIMES_LESS_SERVICE = 3;
const TIMES_LESS_REDIS = 2;
/** Of an update of the floor, where the limits were set that are times or a share of the core. */
const FLOOR_MICROS_OF_LIMITS = 65;

export function costReport(kind: RequestKind, costs: Costs): PartReport {
  const own = micros(costs, 'admin-service', 'serviceMicros');
  const rows = [...costs].map(([name, { rounds, latency, mebibytes }]): Row => {
    const of = (field: 'perSecond' | 'serviceMicros' | 'redisMicros') => rounds.map((round) => round[field]);
    return {
      contender: name,
      'requests/s': withSpread(of('perSecond'), 0),
      'of its core': percent(median(rounds.map((round) => (round.perSecond * round.serviceMicros) / 1e6))),
      'service CPU, µs': withSpread(of('serviceMicros'), 1),
      'Redis CPU, µs': withSpread(of('redisMicros'), 1),
      'admin-service against it':
        name === 'admin-service' ? '' : `${withSpread(ratios(own, of('serviceMicros')), 2)}×`,
      'p50 / p99 at 60 % load, ms': `${milliseconds(latency?.p50)} / ${milliseconds(latency?.p99)}`,
      'RSS, MiB': mebibytes.toFixed(0),
    };
  });
  return {
    title: titles[kind],
    rows,
    bars: barsOf(kind, costs),
    notes: kind === 'update' ? [speedOf(costs)] : [],
  };
}

function barsOf(kind: RequestKind, costs: Costs): Bar[] {
  if (kind === 'mix') return [];
  const own = micros(costs, 'admin-service', 'serviceMicros');
  const against = (name: ContenderName) => median(ratios(own, micros(costs, name, 'serviceMicros')));
  const title = titles[kind].toLowerCase();
  const bars = [atMost(`${title}: service CPU against the floor`, against('floor'), TIMES_FLOOR, '×')];
  if (costs.has('Fastify'))
    bars.push(
      atMost(`${title}: service CPU against Fastify, same features`, against('Fastify'), TIMES_FASTIFY, '×'),
    );
  if (kind === 'update' && costs.has('reviewed design')) bars.push(...againstReviewedDesign(costs));
  return bars;
}

function againstReviewedDesign(costs: Costs): Bar[] {
  const times = (field: 'serviceMicros' | 'redisMicros') =>
    median(ratios(micros(costs, 'reviewed design', field), micros(costs, 'admin-service', field)));
  const what = 'the reviewed design costs more than the update';
  return [
    atLeast(`${what}: service CPU`, times('serviceMicros'), TIMES_LESS_SERVICE, '×'),
    atLeast(`${what}: Redis CPU`, times('redisMicros'), TIMES_LESS_REDIS, '×'),
  ];
}

function speedOf(costs: Costs): string {
  const times = FLOOR_MICROS_OF_LIMITS / median(micros(costs, 'floor', 'serviceMicros'));
  return `Limits in milliseconds and of the core's share were set on a machine where the floor's update took ${FLOOR_MICROS_OF_LIMITS} µs. This one was ${times.toFixed(2)} times as fast.`;
}

function micros(costs: Costs, name: ContenderName, field: 'serviceMicros' | 'redisMicros'): number[] {
  return costs.get(name)?.rounds.map((round) => round[field]) ?? [];
}

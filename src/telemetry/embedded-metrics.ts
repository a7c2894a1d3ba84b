import type { Metrics, Series } from './metrics.js';

const WRITTEN_EVERY_MS = 60_000;
/** CloudWatch's limit on the values of one metric in one line. */
const MAX_SAMPLES = 100;

type Unit = 'Count' | 'Seconds' | 'None';
interface Told {
  kind: 'counter' | 'gauge' | 'histogram';
  unit: Unit;
  /** The one label that CloudWatch gets as a dimension: each of its values is a metric to pay for. */
  by?: string;
}

/** What CloudWatch is told, by the names that Prometheus gets as well. */
const told: Record<string, Told> = {
  http_request_duration_seconds: { kind: 'histogram', unit: 'Seconds', by: 'route' },
  requests_shed_total: { kind: 'counter', unit: 'Count' },
  redis_call_duration_seconds: { kind: 'histogram', unit: 'Seconds', by: 'outcome' },
  postgres_query_duration_seconds: { kind: 'histogram', unit: 'Seconds', by: 'outcome' },
  live_polls_total: { kind: 'counter', unit: 'Count', by: 'source' },
  location_updates_total: { kind: 'counter', unit: 'Count', by: 'outcome' },
  events_published_total: { kind: 'counter', unit: 'Count' },
  events_retried_total: { kind: 'counter', unit: 'Count' },
  events_dead_total: { kind: 'counter', unit: 'Count' },
  journeys_expired_total: { kind: 'counter', unit: 'Count' },
  journeys_active: { kind: 'gauge', unit: 'Count' },
  outbox_depth: { kind: 'gauge', unit: 'Count' },
  outbox_oldest_age_seconds: { kind: 'gauge', unit: 'Seconds' },
  live_polls_waiting: { kind: 'gauge', unit: 'Count' },
  update_interval_stretch: { kind: 'gauge', unit: 'None' },
};

/** One line of the log: metrics that have the same dimension. */
interface Line {
  dimension: Record<string, string>;
  units: Record<string, Unit>;
  values: Record<string, number | number[]>;
}

/**
 * Writes the metrics once a minute to standard output, where CloudWatch Logs makes metrics of them. In the process itself,
 * because the agents that scrape Prometheus for CloudWatch drop histograms' buckets, and so every percentile. Source of
 * the format: Amazon CloudWatch User Guide, "Specification: Embedded metric format".
 */
export class EmbeddedMetrics {
  readonly #metrics: Metrics;
  readonly #namespace: string | undefined;
  readonly #write: (line: string) => void;
  /** What counters stood at when they were last written: CloudWatch adds up what it gets. */
  readonly #before = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  /** Without a namespace nothing is written. */
  constructor(
    metrics: Metrics,
    namespace: string | undefined,
    write: (line: string) => void = (line) => void process.stdout.write(`${line}\n`),
  ) {
    this.#metrics = metrics;
    this.#namespace = namespace;
    this.#write = write;
  }

  start(): void {
    if (this.#namespace === undefined) return;
    this.#timer = setInterval(() => void this.#writeAll(), WRITTEN_EVERY_MS);
  }

  /** Writes what was counted since the last time. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#namespace !== undefined) await this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    const names = Object.keys(told);
    const series = await Promise.all(names.map((name) => this.#metrics.read(name)));
    const lines = new Map<string, Line>();
    for (const [index, name] of names.entries()) this.#collect(name, series[index] ?? [], lines);
    for (const line of lines.values()) this.#write(this.#documentOf(line));
  }

  #collect(name: string, series: Series[], lines: Map<string, Line>): void {
    const { kind, unit, by } = told[name] as Told;
    for (const [label, counts] of countsByLabel(series, by)) {
      const value =
        kind === 'gauge' ? counts.get(Infinity) : this.#sinceBefore(`${name} ${label}`, counts, kind);
      if (value === undefined || Number.isNaN(value)) continue;
      const key = by === undefined ? '' : `${by}=${label}`;
      const line = lines.get(key) ?? {
        dimension: by === undefined ? {} : { [by]: label },
        units: {},
        values: {},
      };
      line.units[name] = unit;
      line.values[name] = value;
      lines.set(key, line);
    }
  }

  #sinceBefore(key: string, counts: Counts, kind: 'counter' | 'histogram'): number | number[] | undefined {
    const fresh: Counts = new Map();
    for (const [bound, count] of counts) {
      fresh.set(bound, count - (this.#before.get(`${key} ${bound}`) ?? 0));
      this.#before.set(`${key} ${bound}`, count);
    }
    return kind === 'counter' ? fresh.get(Infinity) : samplesOf(fresh);
  }

  #documentOf({ dimension, units, values }: Line): string {
    return JSON.stringify({
      _aws: {
        Timestamp: Date.now(),
        CloudWatchMetrics: [
          {
            Namespace: this.#namespace,
            Dimensions: [Object.keys(dimension)],
            Metrics: Object.entries(units).map(([Name, Unit]) => ({ Name, Unit })),
          },
        ],
      },
      ...dimension,
      ...values,
    });
  }
}

/** How many were counted up to each bound; what has no buckets has the one bound Infinity. */
type Counts = Map<number, number>;

/** Summed over all labels but one. */
function countsByLabel(series: Series[], by: string | undefined): Map<string, Counts> {
  const counted = new Map<string, Counts>();
  for (const { value, labels, metricName } of series) {
    if (metricName !== undefined && !metricName.endsWith('_bucket')) continue;
    const label = by === undefined ? '' : String(labels[by]);
    const counts: Counts = counted.get(label) ?? new Map<number, number>();
    const bound = Number(String(labels['le'] ?? '+Inf').replace('+Inf', 'Infinity'));
    counts.set(bound, (counts.get(bound) ?? 0) + value);
    counted.set(label, counts);
  }
  return counted;
}

/**
 * What was measured, each as its bucket's upper bound, so that a percentile of them is never below the true one: all of
 * it, or a hundred that stand for more. Undefined where nothing was.
 */
function samplesOf(counts: Counts): number[] | undefined {
  const bounds = [...counts.keys()].sort((a, b) => a - b);
  const total = counts.get(Infinity) ?? 0;
  if (total === 0) return undefined;
  const size = Math.min(total, MAX_SAMPLES);
  // What lies beyond the last bucket has no bound: twice that bucket's says that it was long.
  const longest = 2 * (bounds.at(-2) ?? 0);
  return Array.from({ length: size }, (_none, index) => {
    const rank = ((index + 0.5) * total) / size;
    const bound = bounds.find((each) => (counts.get(each) ?? 0) >= rank) ?? Infinity;
    return Number.isFinite(bound) ? bound : longest;
  });
}

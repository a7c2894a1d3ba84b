import type { Metrics, Series } from './metrics.js';

const WRITE_EVERY_MS = 60_000;
/** CloudWatch's limit on the values of one metric in one document. */
const MAX_VALUES = 100;

type Unit = 'Count' | 'Seconds' | 'None';
interface ExportedMetric {
  kind: 'counter' | 'gauge' | 'histogram';
  unit: Unit;
  /** The only label that becomes a dimension: CloudWatch charges for each of its values. */
  by?: string;
}

/** The metrics that CloudWatch gets, by their Prometheus names. */
const exportedMetrics: Record<string, ExportedMetric> = {
  http_request_duration_seconds: { kind: 'histogram', unit: 'Seconds', by: 'route' },
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

/** Metrics with the same dimension; written as one log line. */
interface Document {
  dimension: Record<string, string>;
  units: Record<string, Unit>;
  values: Record<string, number | number[]>;
}

/** Cumulative counts by the upper bound of their bucket; a metric without buckets has the bound Infinity only. */
type Counts = Map<number, number>;

/**
 * Writes the metrics to standard output once a minute, where CloudWatch Logs extracts them. Agents that scrape Prometheus
 * for CloudWatch drop the buckets of histograms, and so the percentiles. Source of the format: Amazon CloudWatch User
 * Guide, "Specification: Embedded metric format".
 */
export class EmbeddedMetrics {
  readonly #metrics: Metrics;
  readonly #namespace: string | undefined;
  readonly #write: (line: string) => void;
  /** Counts at the last write: CloudWatch adds up what it gets. */
  readonly #lastCounts = new Map<string, number>();
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
    this.#timer = setInterval(() => void this.#writeAll(), WRITE_EVERY_MS);
  }

  /** Writes what has been counted since the last write. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#namespace !== undefined) await this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    const exported = Object.entries(exportedMetrics);
    // At once: the gauges of the backlog share one read from Redis.
    const series = await Promise.all(exported.map(([name]) => this.#metrics.read(name)));
    const documents = new Map<string, Document>();
    for (const [index, [name, metric]] of exported.entries()) {
      this.#add(name, metric, series[index] ?? [], documents);
    }
    for (const document of documents.values()) this.#write(this.#format(document));
  }

  #add(
    name: string,
    { kind, unit, by }: ExportedMetric,
    series: Series[],
    documents: Map<string, Document>,
  ): void {
    for (const [label, counts] of countsByLabel(series, by)) {
      const value =
        kind === 'gauge' ? counts.get(Infinity) : this.#increase(`${name} ${label}`, counts, kind);
      if (value === undefined || Number.isNaN(value)) continue;
      const dimension: Record<string, string> = by === undefined ? {} : { [by]: label };
      const key = JSON.stringify(dimension);
      const document = documents.get(key) ?? { dimension, units: {}, values: {} };
      document.units[name] = unit;
      document.values[name] = value;
      documents.set(key, document);
    }
  }

  #increase(key: string, counts: Counts, kind: 'counter' | 'histogram'): number | number[] | undefined {
    const increases: Counts = new Map();
    for (const [bound, count] of counts) {
      increases.set(bound, count - (this.#lastCounts.get(`${key} ${bound}`) ?? 0));
      this.#lastCounts.set(`${key} ${bound}`, count);
    }
    return kind === 'counter' ? increases.get(Infinity) : sampleValues(increases);
  }

  #format({ dimension, units, values }: Document): string {
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

/** Sums over all other labels. */
function countsByLabel(series: Series[], by: string | undefined): Map<string, Counts> {
  const byLabel = new Map<string, Counts>();
  for (const { value, labels, metricName } of series) {
    if (metricName !== undefined && !metricName.endsWith('_bucket')) continue;
    const label = by === undefined ? '' : String(labels[by]);
    const counts: Counts = byLabel.get(label) ?? new Map<number, number>();
    const bound = Number(String(labels['le'] ?? '+Inf').replace('+Inf', 'Infinity'));
    counts.set(bound, (counts.get(bound) ?? 0) + value);
    byLabel.set(label, counts);
  }
  return byLabel;
}

/**
 * Up to MAX_VALUES values with the same percentiles, each the upper bound of its bucket, so that no percentile is too
 * low. Undefined if nothing was measured.
 */
function sampleValues(counts: Counts): number[] | undefined {
  const bounds = [...counts.keys()].sort((a, b) => a - b);
  const total = counts.get(Infinity) ?? 0;
  if (total === 0) return undefined;
  const size = Math.min(total, MAX_VALUES);
  // Values above the last bucket have no bound; twice the last one shows that they were long.
  const beyond = 2 * (bounds.at(-2) ?? 0);
  return Array.from({ length: size }, (_none, index) => {
    const rank = ((index + 0.5) * total) / size;
    const bound = bounds.find((each) => (counts.get(each) ?? 0) >= rank) ?? Infinity;
    return Number.isFinite(bound) ? bound : beyond;
  });
}

import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

export interface Backlog {
  activeJourneys: number;
  outboxDepth: number;
  outboxAgeSeconds: number;
}

/** One value of a metric; a histogram has one per bucket (`le`), its sum and its count. */
export interface Series {
  value: number;
  labels: Partial<Record<string, string | number>>;
  metricName?: string;
}

/** The metrics of this process. */
export class Metrics {
  readonly #registry = new Registry();

  readonly #requests = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Requests by route, method and status, with their duration.',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
    registers: [this.#registry],
  });
  readonly #redis = new Histogram({
    name: 'redis_call_duration_seconds',
    help: 'Calls to Redis by operation and outcome (ok, failed).',
    labelNames: ['operation', 'outcome'],
    buckets: SECONDS,
    registers: [this.#registry],
  });
  readonly #postgres = new Histogram({
    name: 'postgres_query_duration_seconds',
    help: 'Queries to Postgres by outcome (ok, failed).',
    labelNames: ['outcome'],
    buckets: SECONDS,
    registers: [this.#registry],
  });
  readonly #polls = new Counter({
    name: 'live_polls_total',
    help: 'Live polls by the source of the response (state, cache, postgres, change).',
    labelNames: ['source'],
    registers: [this.#registry],
  });
  readonly #positions = new Counter({
    name: 'location_updates_total',
    help: 'Position updates by outcome (recorded, reanchored, heartbeat, rateLimited, implausible, stale, ...).',
    labelNames: ['outcome'],
    registers: [this.#registry],
  });
  readonly #published = new Counter({
    name: 'events_published_total',
    help: 'Events that EventBridge has accepted.',
    registers: [this.#registry],
  });
  readonly #retried = new Counter({
    name: 'events_retried_total',
    help: 'Failed attempts to publish an event that will be retried.',
    registers: [this.#registry],
  });
  readonly #dead = new Counter({
    name: 'events_dead_total',
    help: 'Events that EventBridge has rejected; they are in the dead-letter stream.',
    registers: [this.#registry],
  });
  readonly #redisRequirements = new Gauge({
    name: 'redis_requirement_met',
    help: 'Whether Redis fulfils a requirement (rights, noeviction, version): 1, or 0.',
    labelNames: ['requirement'],
    registers: [this.#registry],
  });
  readonly #expired = new Counter({
    name: 'journeys_expired_total',
    help: 'Journeys that this process has ended at their time limit.',
    registers: [this.#registry],
  });

  constructor(readBacklog: () => Promise<Backlog>) {
    collectDefaultMetrics({ register: this.#registry });
    this.#gaugeBacklog(readBacklog);
  }

  requestAnswered(method: string, route: string, status: number, seconds: number): void {
    this.#requests.observe({ method, route, status }, seconds);
  }

  redisCalled(operation: string, seconds: number, succeeded: boolean): void {
    this.#redis.observe({ operation, outcome: succeeded ? 'ok' : 'failed' }, seconds);
  }

  postgresQueried(seconds: number, succeeded: boolean): void {
    this.#postgres.labels(succeeded ? 'ok' : 'failed').observe(seconds);
  }

  polled(source: string): void {
    this.#polls.labels(source).inc();
  }

  positionTaken(outcome: string): void {
    this.#positions.labels(outcome).inc();
  }

  eventsPublished(count: number): void {
    this.#published.inc(count);
  }

  eventsRetried(count: number): void {
    this.#retried.inc(count);
  }

  eventsDead(count: number): void {
    this.#dead.inc(count);
  }

  journeysExpired(count: number): void {
    this.#expired.inc(count);
  }

  redisChecked(met: Record<'rights' | 'noeviction' | 'version', boolean>): void {
    for (const [requirement, isMet] of Object.entries(met))
      this.#redisRequirements.set({ requirement }, isMet ? 1 : 0);
  }

  gaugeWaiting(waiting: () => number): void {
    this.#gauge('live_polls_waiting', 'Polls that wait for a change in this process.', waiting);
  }

  gaugeStretch(stretch: () => number): void {
    const help = 'Factor by which this process stretches the update interval because of its load.';
    this.#gauge('update_interval_stretch', help, stretch);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All metrics in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  async read(name: string): Promise<Series[]> {
    return (await this.#registry.getSingleMetric(name)?.get())?.values ?? [];
  }

  #gauge(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect: () => {
        gauge.set(read());
      },
    });
  }

  /** Read from Redis on each scrape, so all processes report the same numbers: use the maximum, not the sum. */
  #gaugeBacklog(readBacklog: () => Promise<Backlog>): void {
    let inFlight: Promise<Backlog | null> | undefined;
    // prom-client collects all gauges at once; they share one read.
    const read = () => {
      inFlight ??= readBacklog()
        .catch(() => null)
        .finally(() => {
          inFlight = undefined;
        });
      return inFlight;
    };
    const addGauge = (name: string, help: string, field: keyof Backlog) => {
      const gauge: Gauge = new Gauge({
        name,
        help,
        registers: [this.#registry],
        collect: async () => {
          gauge.set((await read())?.[field] ?? NaN);
        },
      });
    };
    addGauge('journeys_active', 'Active journeys of all processes.', 'activeJourneys');
    addGauge('outbox_depth', 'Unpublished events.', 'outboxDepth');
    addGauge('outbox_oldest_age_seconds', 'Age of the oldest unpublished event.', 'outboxAgeSeconds');
  }
}

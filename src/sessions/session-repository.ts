import pg from 'pg';
import { StateUnavailableError, withTimeout } from '../journeys/errors.js';
import type { Home, Session } from '../journeys/journey.js';
import type { SessionRepository } from '../journeys/ports.js';
import { Connections } from './connections.js';
import { SessionLookups } from './batched-lookups.js';

/** The one query of this service, by primary key; the table is the platform's (docker/postgres/schema.sql). */
const SESSIONS_BY_ID =
  'select id, trainer_id, student_id, status, student_home_location from tutoring_sessions where id = any($1)';

/** Each carries a hundred sessions; the platform's Postgres has to have as many for every process of every task. */
const POOL_SIZE = 4;

/**
 * A connection that comes too late for its caller is there for the next one: with the callers' own limit a Postgres whose
 * connections take longer than that would never be reached again. No longer than this, because one whose packets are lost
 * is only tried again after ever longer times.
 */
const CONNECT_WITHIN_TIMES = 2;

/** Before firewalls and load balancers forget a connection that nobody uses (AWS: 350 s). */
const KEEP_ALIVE_AFTER_MS = 60_000;

export interface PostgresDependencies {
  url: string;
  timeoutMs: number;
  /** PEM; with it the connection is encrypted, and the server's certificate has to be signed by it for this host. */
  ca: string | undefined;
  observe: (seconds: number, succeeded: boolean) => void;
  onError: (error: Error) => void;
  /** Called with the session whose student_home_location is there and is no place. */
  onUnreadableHome: (sessionId: string) => void;
}

export class PostgresSessionRepository implements SessionRepository {
  readonly #pool: pg.Pool;
  readonly #connections: Connections;
  readonly #lookups: SessionLookups<SessionRow>;
  readonly #dependencies: PostgresDependencies;

  constructor(dependencies: PostgresDependencies) {
    const { url, timeoutMs, ca, onError } = dependencies;
    this.#dependencies = dependencies;
    this.#pool = new pg.Pool({
      connectionString: url,
      ...(ca !== undefined && { ssl: { ca } }),
      max: POOL_SIZE,
      // One stays, so that the first start after a quiet time needs no new one.
      min: 1,
      connectionTimeoutMillis: CONNECT_WITHIN_TIMES * timeoutMs,
      // The client's own limit, and the server's: a query that nobody waits for any more should not run on.
      query_timeout: timeoutMs,
      statement_timeout: timeoutMs,
      application_name: 'admin-service',
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    });
    this.#connections = new Connections(this.#pool, POOL_SIZE);
    this.#lookups = new SessionLookups(
      (sessionIds) =>
        this.#connections.query<SessionRow>(SESSIONS_BY_ID, () => {
          const ids = sessionIds();
          return ids && [ids];
        }),
      POOL_SIZE,
    );
    // Without a handler an idle connection that breaks would end the process.
    this.#pool.on('error', onError);
    this.#pool.on('connect', (client) => client.on('error', onError));
  }

  async find(sessionId: string): Promise<Session | null> {
    const { timeoutMs } = this.#dependencies;
    const row = await this.#limited(() => this.#lookups.find(sessionId, timeoutMs));
    return row === undefined ? null : this.#toSession(row);
  }

  /** @throws StateUnavailableError where Postgres does not answer in time */
  async ping(): Promise<void> {
    const untilMs = performance.now() + this.#dependencies.timeoutMs;
    const values = () => (performance.now() > untilMs ? null : []);
    await this.#limited(() => this.#connections.query('select 1', values));
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  /** The limit counts from the call, so waiting for others' queries, for a connection and for the query share it. */
  async #limited<Result>(work: () => Promise<Result>): Promise<Result> {
    const { timeoutMs } = this.#dependencies;
    const startedAt = performance.now();
    let succeeded = false;
    try {
      const result = await withTimeout(timeoutMs, 'postgres', work());
      succeeded = true;
      return result;
    } catch (error) {
      throw error instanceof StateUnavailableError ? error : new StateUnavailableError('postgres', error);
    } finally {
      this.#dependencies.observe((performance.now() - startedAt) / 1000, succeeded);
    }
  }

  #toSession(row: SessionRow): Session {
    const home = readHome(row.student_home_location);
    if (home === null && row.student_home_location !== null) this.#dependencies.onUnreadableHome(row.id);
    return {
      sessionId: row.id,
      trainerId: row.trainer_id,
      studentId: row.student_id,
      status: row.status ?? '',
      home,
    };
  }
}

interface SessionRow {
  id: string;
  trainer_id: string | null;
  student_id: string | null;
  status: string | null;
  /** jsonb that the platform's other parts write: anything can be in it. */
  student_home_location: unknown;
}

function readHome(value: unknown): Home | null {
  if (typeof value !== 'object' || value === null) return null;
  const { latitude, longitude, address } = value as Record<string, unknown>;
  if (typeof latitude !== 'number' || typeof longitude !== 'number') return null;
  if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180) return null;
  return { latitude, longitude, ...(typeof address === 'string' ? { address } : {}) };
}

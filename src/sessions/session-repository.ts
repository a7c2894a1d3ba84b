import { setTimeout as pause } from 'node:timers/promises';
import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';
import pg from 'pg';
import { StateUnavailableError, withTimeout } from '../journeys/errors.js';
import { parseHome } from '../journeys/home.js';
import type { Session } from '../journeys/journey.js';
import type { SessionRepository } from '../journeys/ports.js';

/** By primary key; the table belongs to the platform (docker/postgres/schema.sql). */
const SESSIONS_BY_ID =
  'select id, trainer_id, student_id, status, student_home_location from tutoring_sessions where id = any($1)';
const MAX_BATCH_SIZE = 100;

/** Postgres must accept this many connections from every process of every task. */
const POOL_SIZE = 4;

/** Wait for an open connection where Postgres refuses this user one more. */
const CROWDED_RETRY_MS = 50;
/** Sessions whose unreadable home was reported, so that each is reported once. */
const MAX_REPORTED_HOMES = 10_000;

/** Longer than a caller waits: a connection that is too late for its caller serves the next one. */
const CONNECT_TIMEOUT_FACTOR = 2;

/** Shorter than the idle timeout of firewalls and load balancers (AWS: 350 s). */
const KEEP_ALIVE_DELAY_MS = 60_000;

export interface PostgresSessionRepositoryDependencies {
  url: string;
  /** Of a query, including the wait for a connection. */
  timeoutMs: number;
  /** PEM. If set, the connection is encrypted and this authority must have signed the server's certificate. */
  ca: string | undefined;
  observe: (seconds: number, succeeded: boolean) => void;
  onError: (error: Error) => void;
  /** Called once per session. */
  onUnreadableHome: (sessionId: string) => void;
}

export class PostgresSessionRepository implements SessionRepository {
  readonly #pool: pg.Pool;
  readonly #dependencies: PostgresSessionRepositoryDependencies;
  /** Batches the lookups of one turn of the event loop into one query. */
  readonly #sessions = new DataLoader<string, Session | null>((ids) => this.#findAll(ids), {
    cache: false,
    maxBatchSize: MAX_BATCH_SIZE,
    batchScheduleFn: (dispatch) => {
      setImmediate(dispatch);
    },
  });

  readonly #reportedHomes = new LRUCache<string, true>({ max: MAX_REPORTED_HOMES });

  constructor(dependencies: PostgresSessionRepositoryDependencies) {
    const { url, timeoutMs, ca, onError } = dependencies;
    this.#dependencies = dependencies;
    this.#pool = new pg.Pool({
      connectionString: url,
      ...(ca !== undefined && { ssl: { ca } }),
      // All stay open: pg.Pool makes a caller wait for the new connection it opens, even if another becomes free earlier.
      min: POOL_SIZE,
      max: POOL_SIZE,
      connectionTimeoutMillis: CONNECT_TIMEOUT_FACTOR * timeoutMs,
      // The connection is closed then. Nothing is set in the session, which poolers such as PgBouncer refuse or share.
      query_timeout: timeoutMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
    });
    // Without a handler, a failure of an idle connection would end the process.
    this.#pool.on('error', onError);
  }

  /** @throws StateUnavailableError */
  find(sessionId: string): Promise<Session | null> {
    return this.#sessions.load(sessionId);
  }

  /** Opens all connections. @throws StateUnavailableError */
  async connect(): Promise<void> {
    await Promise.all(Array.from({ length: POOL_SIZE }, () => this.ping()));
  }

  /** @throws StateUnavailableError */
  async ping(): Promise<void> {
    await this.#query('select 1', []);
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #findAll(ids: readonly string[]): Promise<(Session | null)[]> {
    const rows = await this.#query<SessionRow>(SESSIONS_BY_ID, [ids]);
    const sessions = new Map(rows.map((row) => [row.id, this.#toSession(row)]));
    return ids.map((id) => sessions.get(id) ?? null);
  }

  /** The timeout includes the wait for a connection. */
  async #query<Row extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<Row[]> {
    const { timeoutMs, observe } = this.#dependencies;
    const startedAt = performance.now();
    let succeeded = false;
    try {
      const work = this.#queryWithin<Row>(startedAt + timeoutMs, text, values);
      const rows = await withTimeout(timeoutMs, 'postgres', work);
      succeeded = true;
      return rows;
    } catch (error) {
      throw error instanceof StateUnavailableError ? error : new StateUnavailableError('postgres', error);
    } finally {
      observe((performance.now() - startedAt) / 1000, succeeded);
    }
  }

  async #queryWithin<Row extends pg.QueryResultRow>(deadline: number, text: string, values: unknown[]) {
    for (;;) {
      try {
        return (await this.#pool.query<Row>(text, values)).rows;
      } catch (error) {
        if (!isRefusedConnection(error) || performance.now() > deadline) throw error;
        await pause(CROWDED_RETRY_MS);
      }
    }
  }

  #toSession(row: SessionRow): Session {
    const home = parseHome(row.student_home_location);
    const isHomeUnreadable = home === null && row.student_home_location !== null;
    if (isHomeUnreadable && !this.#reportedHomes.has(row.id)) {
      this.#reportedHomes.set(row.id, true);
      this.#dependencies.onUnreadableHome(row.id);
    }
    return {
      sessionId: row.id,
      trainerId: row.trainer_id,
      studentId: row.student_id,
      status: row.status ?? '',
      home,
      isHomeUnreadable,
    };
  }
}

interface SessionRow {
  id: string;
  trainer_id: string | null;
  student_id: string | null;
  status: string | null;
  /** jsonb written by other parts of the platform, so its shape is not guaranteed. */
  student_home_location: unknown;
}

/** Classes 53 (too many connections) and 08, which PgBouncer uses, of SQLSTATE. */
function isRefusedConnection(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^(53|08)/.test(error.code ?? '');
}

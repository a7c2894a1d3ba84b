import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { GeoPoint } from './simulation/places.js';
import type { PlannedSession } from './simulation/simulated-sessions.js';
import { addressAt } from './simulation/streets.js';

/** The sample session that no simulated trainer drives to. */
export const untouchedSessionId = '5e55a000-0000-4000-8000-000000000001';

const sqlFolder = join(import.meta.dirname, '../../docker/postgres');

/** Creates the table where it is missing. */
export function createSchema(url: string): Promise<void> {
  return runFile(url, 'schema.sql');
}

/** Adds the sample sessions that are missing. */
export function insertSampleSessions(url: string): Promise<void> {
  return runFile(url, 'sample-sessions.sql');
}

async function runFile(url: string, name: string): Promise<void> {
  const sql = await readFile(join(sqlFolder, name), 'utf8');
  await withClient(url, (client) => client.query(sql));
}

export async function insertSessions(url: string, sessions: readonly PlannedSession[]): Promise<void> {
  // Tens of thousands of rows in one statement, column by column.
  const columns = [
    sessions.map(({ id }) => id),
    sessions.map(({ studentId }) => studentId),
    sessions.map(({ trainerId }) => trainerId),
    sessions.map(({ home, neighbourhood }) =>
      JSON.stringify({ ...home, address: `${addressAt(neighbourhood, home)}, Bengaluru` }),
    ),
  ];
  const sql = `
    insert into tutoring_sessions (id, student_id, trainer_id, status, student_home_location)
    select id, student_id, trainer_id, 'scheduled', home::jsonb
    from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[]) as row (id, student_id, trainer_id, home)`;
  await withClient(url, (client) => client.query(sql, columns));
}

/** Deletes sessions of this run from a database that outlives it. */
export async function removeSessions(url: string, ids: readonly string[]): Promise<void> {
  await withClient(url, (client) => client.query('delete from tutoring_sessions where id = any($1)', [ids]));
}

export interface SampleSession {
  id: string;
  trainerId: string;
  studentId: string;
  subject: string;
  home: (GeoPoint & { address: string }) | null;
}

/** The sample sessions that have a trainer, including those that cannot be started. */
export async function readSampleSessions(url: string): Promise<SampleSession[]> {
  const sql = `
    select id, trainer_id as "trainerId", student_id as "studentId", subject, student_home_location as home
    from tutoring_sessions where id::text like '5e55a000-0000-4000-8000-%' and trainer_id is not null order by id`;
  return (await withClient(url, (client) => client.query<SampleSession>(sql))).rows;
}

async function withClient<Result>(
  url: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // Without a listener, a connection that breaks outside a query ends the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { sharedDatabaseUrl } from './shared-services.js';
import { tokenFor } from './tokens.js';

export const HOME = { latitude: 12.9716, longitude: 77.5946, address: '12 Church Street' };

export interface ASession {
  sessionId: string;
  trainerId: string;
  studentId: string;
  trainerToken: string;
  studentToken: string;
}

let pool: pg.Pool | undefined;

/** A new session of a new trainer and student in the platform's table. */
export async function aSession(
  row: { status?: string; home?: unknown; sessionId?: string } = {},
): Promise<ASession> {
  const sessionId = row.sessionId ?? randomUUID();
  const trainerId = randomUUID();
  const studentId = randomUUID();
  const home = row.home === undefined ? HOME : row.home;
  await sessionsPool().query(
    'insert into tutoring_sessions (id, trainer_id, student_id, status, student_home_location) values ($1, $2, $3, $4, $5)',
    [sessionId, trainerId, studentId, row.status ?? 'scheduled', home === null ? null : JSON.stringify(home)],
  );
  const [trainerToken, studentToken] = await Promise.all([
    tokenFor(trainerId, 'trainer'),
    tokenFor(studentId, 'student'),
  ]);
  return { sessionId, trainerId, studentId, trainerToken, studentToken };
}

/** For changes of the platform's table. */
export function sessionsPool(): pg.Pool {
  pool ??= new pg.Pool({ connectionString: sharedDatabaseUrl(), max: 4 });
  return pool;
}

/** A point so many metres north of the home. */
export function metersNorth(meters: number): { latitude: number; longitude: number } {
  return { latitude: HOME.latitude + meters / 111_195.08, longitude: HOME.longitude };
}

afterAll(async () => {
  await pool?.end();
  pool = undefined;
});

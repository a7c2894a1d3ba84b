/**
 * The design that was reviewed: Express with its usual middleware, a token verified and a line logged a request, an
 * update that asks Redis six times, one after the other, and a poll that asks Postgres.
 */
import { createSecretKey } from 'node:crypto';
import express, { type NextFunction, type Request, type Response } from 'express';
import { Redis } from 'ioredis';
import { jwtVerify } from 'jose';
import pg from 'pg';
import { pinoHttp } from 'pino-http';
import { distanceMeters, type Coordinates } from '../../../src/journeys/distance.js';
import { Keys } from '../../../src/store/keys.js';

const UPDATE_INTERVAL_MS = 1;
const SESSION = 'select trainer_id, student_id, student_home_location from tutoring_sessions where id = $1';
const redis = new Redis(process.env['REDIS_URL'] ?? '');
const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'] });
const keys = new Keys();
const secret = createSecretKey(process.env['AUTH_JWT_SECRET'] ?? '', 'utf8');

async function authenticate(req: Request, res: Response, next: NextFunction): Promise<void> {
  const token = req.get('Authorization')?.replace('Bearer ', '') ?? '';
  res.locals['userId'] = (await jwtVerify(token, secret)).payload.sub;
  next();
}

interface Fix extends Coordinates {
  accuracy?: number | undefined;
  fixMs: number;
}

function isPlausible(from: Fix, to: Fix, maxSpeedKmh: number): boolean {
  const allowance = (fix: Fix) => Math.min(fix.accuracy ?? 0, 30);
  const apart = distanceMeters(from, to) - allowance(from) - allowance(to);
  return apart <= 0 || apart * 3600 <= maxSpeedKmh * (to.fixMs - from.fixMs);
}

interface Stored extends Fix {
  timestamp: string;
}

const app = express();
app.use(pinoHttp());
app.use(express.json());
app.use(authenticate);

app.post('/api/v1/admin/location-tracking/journey/updates', async (req: Request, res: Response) => {
  const { sessionId, latitude, longitude, accuracy, speed, heading } = req.body as Fix &
    Record<string, string>;
  const trainerId = String(res.locals['userId']);
  const [nowMs, key] = [Date.now(), keys.location(trainerId, String(sessionId))];
  const journey = JSON.parse((await redis.get(keys.active(String(sessionId)))) ?? 'null') as {
    trainerId: string;
  } | null;
  if (journey?.trainerId !== trainerId) return void res.status(403).json({ success: false });
  const last = await redis.get(keys.rate(trainerId));
  if (last !== null && nowMs - Number(last) < UPDATE_INTERVAL_MS)
    return void res.status(429).json({ success: false });
  const stored = await redis.get(key);
  const position = { latitude, longitude, accuracy, speed, heading, fixMs: nowMs };
  if (stored !== null && !isPlausible(JSON.parse(stored) as Stored, position, 120))
    return void res.status(400).json({ success: false });
  await redis.setex(keys.rate(trainerId), 6, nowMs);
  const timestamp = new Date(nowMs).toISOString();
  await redis.setex(key, 300, JSON.stringify({ ...position, timestamp, sessionId, trainerId }));
  const ttl = await redis.ttl(key);
  res.status(201).json({ success: true, data: { sessionId, timestamp, ttl, nextUpdateMs: 5000 } });
});

app.get('/api/v1/admin/location-tracking/journey/live', async (req: Request, res: Response) => {
  const { sessionId = '' } = req.query as Record<string, string>;
  const { rows } = await pool.query<Record<string, string>>(SESSION, [sessionId]);
  const { trainer_id: trainerId = '', student_id: studentId } = rows[0] ?? {};
  if (studentId !== res.locals['userId']) return void res.status(403).json({ success: false });
  const isActive = (await redis.get(keys.active(sessionId))) !== null;
  const location = JSON.parse(
    (await redis.get(keys.location(trainerId, sessionId))) ?? 'null',
  ) as Stored | null;
  const data = { sessionId, trainerId, isActive, location, lastUpdate: location?.timestamp ?? null };
  res.json({ success: true, data });
});

app.listen(Number(process.env['PORT']));

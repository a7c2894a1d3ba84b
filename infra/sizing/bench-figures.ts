import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = join(import.meta.dirname, '../../tests/bench/RESULTS.md');

/** Of 10,000 journeys on one core, each with an update every 5 s and one student. */
export interface BenchFigures {
  /** As the results say it. */
  date: string;
  /** Share of the service's core. */
  serviceCore: number;
  /** Share of Redis' core. */
  redisCore: number;
  /** Of a process with 10,000 journeys whose students poll. */
  processBytes: number;
  bytesPerWaitingStudent: number;
  redisBytesPerJourney: number;
}

export const BENCH_JOURNEYS = 10_000;

/**
 * The figures of the last benchmark. The service needs more for students who wait, Redis for students who poll; each
 * counts with the larger one.
 */
export function benchFigures(text = readFileSync(FILE, 'utf8')): BenchFigures {
  const waiting = usage(text, 'waiting');
  const polling = usage(text, 'polling');
  return {
    date: found(/^(\d{4}-\d\d-\d\d), /m, text),
    serviceCore: Math.max(waiting.service, polling.service),
    redisCore: Math.max(waiting.redis, polling.redis),
    processBytes: polling.bytes,
    bytesPerWaitingStudent: (waiting.bytes - polling.bytes) / BENCH_JOURNEYS,
    redisBytesPerJourney: numberIn(found(/^\| Redis memory per journey .*\| ([\d,]+) B +\| \w+ +\|$/m, text)),
  };
}

function usage(text: string, students: 'waiting' | 'polling') {
  const row = found(new RegExp(`^\\| ${students} +\\| admin-service +\\|(.*)\\|$`, 'm'), text);
  const [service, redis, megabytes] = row.split('|').slice(-3);
  return {
    service: numberIn(service) / 100,
    redis: numberIn(redis) / 100,
    bytes: numberIn(megabytes) * 1e6,
  };
}

function found(pattern: RegExp, text: string): string {
  const match = pattern.exec(text)?.[1];
  if (match === undefined) throw new Error(`tests/bench/RESULTS.md has no ${pattern.source}`);
  return match;
}

function numberIn(text = ''): number {
  const number = Number(text.replace(/[ ,%]/g, ''));
  if (text.trim() === '' || Number.isNaN(number))
    throw new Error(`tests/bench/RESULTS.md: ${text} is no number`);
  return number;
}

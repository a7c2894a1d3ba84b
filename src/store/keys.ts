import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import type { Idempotency } from '../journeys/ports.js';

/** Names that a cluster has once in each partition, without its tag. */
export const EXPIRIES_KEY = 'journey:expiries';
export const OUTBOX_KEY = 'journey:outbox';
export const DEAD_LETTERS_KEY = 'journey:outbox:dead';
/** Where the version before keeps expiries; see scripts/includes/old_track.lua. */
export const OLD_EXPIRIES_KEY = 'journey:deadlines';

/** Sorted set: the relays of all processes by their last heartbeat. */
export const RELAYS_KEY = 'journey:relays';

/**
 * Start of the channels where scripts publish changes of a session's journey, which follows. Redis' pub/sub ignores the
 * database, and a cluster broadcasts messages, so channels carry the database's number (0: none) and no tag.
 */
export function changesPrefix(database: number): string {
  return database === 0 ? 'journey:changes:' : `journey:changes:${database}:`;
}

/** The number of the client's database; a cluster has one database, 0. */
export function databaseOf({ options }: Redis | Cluster): number {
  return ('db' in options && options.db) || 0;
}

/** The names of all keys of one partition. Other services read the first five. */
export class Keys {
  /** Put in front of each name; empty on a single Redis. */
  readonly tag: string;

  constructor(tag = '') {
    this.tag = tag;
  }

  active(sessionId: string): string {
    return `${this.tag}journey:active:${sessionId}`;
  }

  ended(sessionId: string): string {
    return `${this.tag}journey:ended:${sessionId}`;
  }

  location(trainerId: string, sessionId: string): string {
    return `${this.locationPrefix}${trainerId}:session:${sessionId}`;
  }

  /** In a cluster the rate limit applies per trainer and partition. */
  rate(trainerId: string): string {
    return `${this.tag}location:rate:${trainerId}`;
  }

  meta(sessionId: string): string {
    return `${this.tag}session:meta:${sessionId}`;
  }

  /** Exists for a session that the platform does not know. */
  missing(sessionId: string): string {
    return `${this.tag}session:missing:${sessionId}`;
  }

  /** The service's own record of a journey: see scripts/includes/track.lua. */
  track(sessionId: string): string {
    return `${this.tag}journey:track:${sessionId}`;
  }

  /** What support sees of a journey beside its record: see scripts/includes/timeline.lua. */
  timeline(sessionId: string): string {
    return `${this.tag}journey:timeline:${sessionId}`;
  }

  /** Exists while the student has watched lately. */
  watched(sessionId: string): string {
    return `${this.tag}journey:watched:${sessionId}`;
  }

  /** Exists while a student was lately refused to watch. */
  watchRefused(sessionId: string): string {
    return `${this.tag}journey:watch-refused:${sessionId}`;
  }

  /** When TrainerLocationStale was last recorded. */
  staleTold(sessionId: string): string {
    return `${this.tag}journey:stale-told:${sessionId}`;
  }

  /** The first answer to a call with an Idempotency-Key, which is a caller's text: only its digest becomes a name. */
  firstAnswer(call: string, sessionId: string, { callerId, key }: Idempotency): string {
    const digest = createHash('sha256').update(`${call}\n${callerId}\n${key}`).digest('base64url');
    return `${this.tag}journey:idempotency:${sessionId}:${digest.slice(0, 22)}`;
  }

  /** Scripts add the trainer and the session. */
  get locationPrefix(): string {
    return `${this.tag}location:trainer:`;
  }

  /** Sorted set: sessionId by the millisecond at which its journey reaches its limit. */
  get expiries(): string {
    return this.tag + EXPIRIES_KEY;
  }

  get oldExpiries(): string {
    return this.tag + OLD_EXPIRIES_KEY;
  }

  /** Stream of events that are not published yet. */
  get outbox(): string {
    return this.tag + OUTBOX_KEY;
  }

  get deadLetters(): string {
    return this.tag + DEAD_LETTERS_KEY;
  }

  get relays(): string {
    return this.tag + RELAYS_KEY;
  }

  /** The first keys of the scripts that start or end a journey. */
  lifecycle(sessionId: string): string[] {
    return [
      this.active(sessionId),
      this.ended(sessionId),
      this.track(sessionId),
      this.meta(sessionId),
      this.expiries,
      this.outbox,
    ];
  }
}

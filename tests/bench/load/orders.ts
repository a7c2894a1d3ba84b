import type { Spread } from '../../../src/dev/load/measurements.js';

/**
 * update: a position of each journey in turn; live: a poll that is answered with 200; unchanged: one that is answered
 * with 304; mix: an update and a poll in turn.
 */
export type RequestKind = 'update' | 'live' | 'unchanged' | 'mix';

interface Target {
  port: number;
  /** Of the first so many journeys. */
  journeys: number;
  /** Above all that were sent before. */
  firstSequence: number;
}

/** A request in flight on each connection all the time, for so many seconds and at least so many requests. */
export interface SaturationOrder extends Target {
  kind: 'saturation';
  requests: RequestKind;
  connections: number;
  seconds: number;
  leastRequests: number;
  /** Where to begin. */
  firstJourney: number;
}

/** Requests that are due at random times, whatever the answers do (a Poisson process). */
export interface RandomArrivalsOrder extends Target {
  kind: 'randomArrivals';
  requests: RequestKind;
  perSecond: number;
  seconds: number;
  /** A load balancer's to one task, unless told. */
  connections?: number;
}

/** As in production: of each journey an update and a poll every intervalMs, each at a time of its own. */
export interface PhonesOrder extends Target {
  kind: 'phones';
  intervalMs: number;
  warmUpSeconds: number;
  seconds: number;
}

/** Of each journey an update every intervalMs, while the students of the first so many wait for news. */
export interface WaitingStudentsOrder extends Target {
  kind: 'waitingStudents';
  students: number;
  /** Whether trainers come when they are told to, as the apps do, or every intervalMs all the same. */
  trainersHeed: boolean;
  intervalMs: number;
  warmUpSeconds: number;
  seconds: number;
}

export type Order =
  /** Signs the tokens and makes the requests beforehand. */
  | { kind: 'prepare'; journeys: number }
  | SaturationOrder
  | RandomArrivalsOrder
  | PhonesOrder
  | WaitingStudentsOrder;

export interface LoadResult {
  /** While it was measured. */
  answers: number;
  seconds: number;
  /** Answers other than those that were due, by call and status; status 0: the connection broke. */
  failures: Record<string, number>;
  /** In milliseconds from when a request was due. */
  updates: Spread | undefined;
  polls: Spread | undefined;
  /** Both together, those alone that were as they should be. */
  accepted: Spread | undefined;
  /** 503 with Retry-After. */
  refused: Spread | undefined;
  /** From when a position was accepted, by the answer's own time, until its student had it. */
  seen: Spread | undefined;
  /** How late the load itself was: from when a request was due until the load came to it. */
  ownDelay: Spread | undefined;
  /** The same until a connection was free for it as well. */
  untilSent: Spread | undefined;
  lastSequence: number;
  nextJourney: number;
  /** Whether the service holds an answer back when it is asked to. */
  canWait: boolean;
}

/** What the load's process says: that it begins to measure, and how it went. */
export type LoadMessage = 'measuring' | { result: LoadResult } | { failure: string };

import type { Spread } from '../../support/statistics.js';

/**
 * start: start-journey for each journey; update: a position for each; live: a poll that gets a 200; unchanged: a poll
 * that gets a 304; mix: an update and a poll in turn.
 */
export type RequestKind = 'start' | 'update' | 'live' | 'unchanged' | 'mix';

interface Target {
  port: number;
  /** Only the first so many journeys. */
  journeys: number;
}

/** A closed loop: one request in flight on each connection, for so many seconds and at least so many requests. */
export interface SaturationOrder extends Target {
  kind: 'saturation';
  requests: RequestKind;
  connections: number;
  seconds: number;
  leastRequests: number;
}

/** An open loop of requests at random times (a Poisson process). */
export interface RandomArrivalsOrder extends Target {
  kind: 'randomArrivals';
  requests: RequestKind;
  perSecond: number;
  warmUpSeconds: number;
  seconds: number;
  connections: number;
  /** A request that is due while all connections are busy is skipped: a phone sends nothing until it has an answer. */
  skipsWhenBusy: boolean;
}

/** As in production: an update and a poll of each journey every intervalMs, each at a time of its own. */
export interface PollingOrder extends Target {
  kind: 'polling';
  intervalMs: number;
  warmUpSeconds: number;
  seconds: number;
}

/** An update of each journey every intervalMs, while every student has a poll with Prefer: wait in flight. */
export interface WaitingOrder extends Target {
  kind: 'waiting';
  intervalMs: number;
  warmUpSeconds: number;
  seconds: number;
}

export type LoadOrder = SaturationOrder | RandomArrivalsOrder | PollingOrder | WaitingOrder;
/** prepare: sign the tokens and build the requests of so many journeys. */
export type Order = { kind: 'prepare'; journeys: number } | LoadOrder;

export interface LoadResult {
  /** Within the measured time. */
  answers: number;
  seconds: number;
  /** Unexpected answers by call and status; status 0: the connection broke. */
  failures: Record<string, number>;
  /** In milliseconds from when a request was due; in a closed loop, from when it was sent. */
  updates: Spread | undefined;
  polls: Spread | undefined;
  /** Updates and polls together: expected answers, and 503s with Retry-After. */
  accepted: Spread | undefined;
  refused: Spread | undefined;
  /** From when a position was accepted, by the server's time, until its student received it. */
  seen: Spread | undefined;
  /** From when a request was due until the load sent it. */
  ownDelay: Spread | undefined;
}

/** From the load's process. */
export type LoadMessage = 'measuring' | { result: LoadResult } | { failure: string };

import type { Random } from '../simulation/random.js';
import type { Calls } from './calls.js';
import type { Recorder } from './recorder.js';
import type { TimerWheel } from './timer-wheel.js';

/** What every simulated phone works with. */
export interface PhoneDependencies {
  wheel: TimerWheel;
  calls: Calls;
  recorder: Recorder;
  random: Random;
}

/** Where the service says no other time, and after calls that got no answer. */
export const retryMs = 2_000;
/** So many unanswered calls of one kind are the most that a phone has under way. */
export const mostUnanswered = 4;

/** A service that asks for more than this, by mistake or because it has always news, is not asked in a circle. */
export const shortestPauseMs = 100;

const basePath = '/api/v1/admin';
export const updatesPath = `${basePath}/location-tracking/journey/updates`;
export const livePath = (sessionId: string) =>
  `${basePath}/location-tracking/journey/live?sessionId=${sessionId}`;
export const sessionPath = (sessionId: string, call: string) => `${basePath}/sessions/${sessionId}/${call}`;

import type { Call } from './calls.js';
import { aged, type Decision } from './decision.js';
import { arrive, start, stop } from './lifecycle.js';
import { live } from './live.js';
import type { Rules } from './rules.js';
import type { Situation } from './state.js';
import { update } from './updates.js';

/** The contract as one function: the answer to a call at this moment, the state after it and its events. */
export function decide(before: Situation, call: Call, rules: Rules): Decision {
  const situation = { ...before, state: aged(before.state, before.nowMs) };
  switch (call.kind) {
    case 'start':
      return start(situation, call, rules);
    case 'arrived':
      return arrive(situation, call, rules);
    case 'stop':
      return stop(situation, call, rules);
    case 'update':
      return update(situation, call, rules);
    case 'live':
      return live(situation, call, rules);
  }
}

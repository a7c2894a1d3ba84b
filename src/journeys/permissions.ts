import type { Role } from '../contract/identifiers.js';

/** Which roles may make which call; ownership is checked with the state. */
export const permittedRoles = {
  startJourney: ['trainer'],
  recordPosition: ['trainer'],
  watch: ['student', 'trainer', 'admin'],
  arrive: ['trainer'],
  stop: ['trainer', 'admin'],
  listJourneys: ['admin'],
  diagnoseJourney: ['admin'],
} as const satisfies Record<string, readonly Role[]>;

export type Call = keyof typeof permittedRoles;

export function isPermitted(call: Call, role: Role): boolean {
  return (permittedRoles[call] as readonly Role[]).includes(role);
}

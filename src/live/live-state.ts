import type { LiveJourney } from '../contract/responses.js';
import type { ActiveState, Caller } from '../journeys/journey.js';
import type { Forbidden, RateLimited } from '../journeys/outcomes.js';

/** Why a caller is not shown a session. */
export type LiveRefusal = { kind: 'sessionNotFound' } | RateLimited | Forbidden;

/** version: changes with every change of the state, and only then. */
export interface KnownActive extends ActiveState {
  kind: 'active';
  version: string;
}

/** What a caller may see of a session: an active journey, or what to show instead. */
export type LiveState = KnownActive | { kind: 'inactive'; view: LiveJourney; version: string } | LiveRefusal;

export type LiveOutcome =
  | {
      kind: 'live';
      /** Renders the view; a caller that knows the version already needs none. */
      view: () => LiveJourney;
      nextPollMs: number;
      /** Age of the fix in milliseconds; null without one. */
      ageMs: number | null;
      /** Changes with every change of the state, and only then. */
      version: string;
      /** Whether the poll may have waited. */
      waited: boolean;
    }
  | LiveRefusal;

export function mayWatch(
  caller: Caller,
  parties: { trainerId: string | null; studentId: string | null },
): boolean {
  switch (caller.role) {
    case 'admin':
      return true;
    case 'trainer':
      return parties.trainerId === caller.userId;
    case 'student':
      return parties.studentId === caller.userId;
  }
}

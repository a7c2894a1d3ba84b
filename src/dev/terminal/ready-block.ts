import type { ReadyTokens } from '../tokens.js';
import type { GeoPoint } from '../simulation/places.js';

export interface Addresses {
  service: string;
  metrics: string;
  liveMap: string;
  apiPage: string;
  redis: string;
  database: string;
  eventBus: string;
}

/** Where everything is, and lines to paste into a shell. */
export function readyBlock(
  at: Addresses,
  session: { id: string; home: GeoPoint },
  tokens: ReadyTokens,
): string[] {
  const base = `${at.service}/api/v1/admin`;
  const bearer = (name: string) => `-H "Authorization: Bearer $${name}"`;
  // Close enough to arrive: about 90 m north of the home.
  const position = {
    sessionId: session.id,
    latitude: Number((session.home.latitude + 0.0008).toFixed(6)),
    longitude: session.home.longitude,
    accuracy: 8,
    speed: 6.5,
    heading: 180,
  };
  return [
    '',
    `admin-service  ${at.service}`,
    `  live map     ${at.liveMap}`,
    `  metrics      ${at.metrics}`,
    `  API page     ${at.apiPage}`,
    `  Redis        ${at.redis}`,
    `  Postgres     ${at.database}`,
    `  events       ${at.eventBus}/events`,
    '',
    `Tokens for session ${session.id}, which has no journey yet; valid for 12 hours:`,
    '',
    `TRAINER=${tokens.trainer}`,
    `STUDENT=${tokens.student}`,
    `ADMIN=${tokens.admin}`,
    '',
    'Paste those three lines into a shell, then start a journey, send a position, look at it, and arrive:',
    '',
    `curl -X POST ${bearer('TRAINER')} ${base}/sessions/${session.id}/start-journey`,
    `curl ${bearer('TRAINER')} -H 'Content-Type: application/json' -d '${JSON.stringify(position)}' ${base}/location-tracking/journey/updates`,
    `curl ${bearer('STUDENT')} '${base}/location-tracking/journey/live?sessionId=${session.id}'`,
    `curl -X POST ${bearer('TRAINER')} ${base}/sessions/${session.id}/arrived`,
    '',
    'Or cancel it instead of arriving:',
    '',
    `curl -X POST ${bearer('ADMIN')} ${base}/sessions/${session.id}/stop-journey`,
    '',
  ];
}

/** The operations of the OpenAPI document for support. */
import type { ZodOpenApiOperationObject } from 'zod-openapi';
import { DiagnosedJourney, FleetPage, FleetQuery } from '../contract/fleet.js';
import { SessionParams } from '../contract/requests.js';
import { commonErrors, errors } from './openapi-errors.js';
import { exampleIds, exampleLocation, response } from './openapi-operations.js';

const journey = {
  ...exampleIds,
  startedAt: '2026-12-01T10:00:00.000Z',
  expiresAt: '2026-12-01T11:00:00.000Z',
  freshness: 'stale',
  ageMs: 95_000,
  distanceMeters: 1_480,
  etaSeconds: null,
  trainerProblem: null,
  location: exampleLocation,
};
const lastRefusal = { at: '2026-12-01T10:08:25.000Z', code: 'LOCATION_IMPLAUSIBLE', reason: 'speed' };

export const listJourneys: ZodOpenApiOperationObject = {
  operationId: 'listJourneys',
  tags: ['fleet'],
  summary: 'All active journeys, page by page',
  description:
    'For admins. In the order of their expiry, in a Redis Cluster within each partition. A journey that starts or ends meanwhile may be missing.',
  requestParams: { query: FleetQuery },
  responses: {
    '200': response('A page.', FleetPage, {
      journeys: [journey],
      nextCursor: '0.1796126400000.5e55a000-0000-4000-8000-000000000001',
      unreadable: [],
    }),
    ...errors(...commonErrors),
  },
};

export const diagnoseJourney: ZodOpenApiOperationObject = {
  operationId: 'diagnoseJourney',
  tags: ['fleet'],
  summary: 'Why the student does not see the trainer move',
  description:
    'For admins. The active journey of a session, or its last one until 24 hours after the end. The timeline has no coordinates.',
  requestParams: { path: SessionParams },
  responses: {
    '200': response('The journey with its diagnosis.', DiagnosedJourney, {
      ...journey,
      ...{ isActive: true, endedAt: null, endedReason: null },
      diagnosis: [
        {
          verdict: 'refusedImplausible',
          message:
            '3 of the last 5 updates were refused because they imply a speed over 120 km/h, the last one by 8120 m.',
        },
      ],
      diagnostics: {
        ...{ acceptedUpdates: 88, refusedUpdates: { LOCATION_IMPLAUSIBLE: 3 } },
        lastRefusal: { ...lastRefusal, overLimit: 8_120 },
        ...{ reanchors: 0, lastSequence: 91 },
        ...{ lastUpdateAt: '2026-12-01T10:08:25.000Z', nextUpdateDueAt: '2026-12-01T10:08:30.000Z' },
        ...{ watchers: 1, lastWatchedAt: '2026-12-01T10:08:12.000Z' },
        events: [{ type: 'TrainerJourneyStarted', at: '2026-12-01T10:00:00.000Z', count: 1 }],
      },
      timeline: [
        { kind: 'started', at: '2026-12-01T10:00:00.000Z' },
        { kind: 'firstFix', at: '2026-12-01T10:00:04.210Z' },
        {
          ...{ kind: 'refused', code: 'LOCATION_IMPLAUSIBLE', reason: 'speed' },
          ...{ at: '2026-12-01T10:08:15.000Z', lastAt: '2026-12-01T10:08:25.000Z', count: 3 },
        },
      ],
    }),
    ...errors(...commonErrors, 'JOURNEY_NOT_ACTIVE'),
  },
};

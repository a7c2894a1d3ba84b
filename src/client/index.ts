/** The package's only entry, `admin-service/client`. */
export type {
  JourneyArrived,
  JourneyStarted,
  JourneyStopped,
  LiveJourney,
  Location,
  PositionRecorded,
} from '../contract/responses.js';
export type { ErrorCode, FieldProblem } from '../contract/errors.js';
export type { PositionUpdateBody } from '../contract/requests.js';
export type { GetToken } from './access-token.js';
export type { Clock } from './clock.js';
export { JourneyApiError } from './journey-api-error.js';
export type { Ended, EndedBecause, ErrorDetails, JourneyErrorCode } from './journey-api-error.js';
export { JourneyApi } from './journey-api.js';
export type {
  CallOptions,
  JourneyApiOptions,
  LiveAnswer,
  LiveOptions,
  RepeatableOptions,
} from './journey-api.js';
export type { PhonePosition } from './position.js';
export { StudentWatcher } from './student-watcher.js';
export type { Watched, WatcherEvents, WatcherState } from './student-watcher.js';
export { TrainerTracker } from './trainer-tracker.js';
export type { TrackedJourney, TrackerCall, TrackerEvents, TrackerState } from './trainer-tracker.js';

/** The package's only entry, `@admin-service/client`. */
export type {
  EndReason,
  ErrorCode,
  ErrorDetails,
  FieldProblem,
  HeartbeatBody,
  JourneyArrived,
  JourneyStarted,
  JourneyStopped,
  LiveJourney,
  Location,
  PositionRecorded,
  PositionUpdateBody,
  TrainerProblem,
} from './contract.js';
export type { GetToken } from './access-token.js';
export type { Clock } from './clock.js';
export { JourneyApiError } from './journey-api-error.js';
export type { Ended, EndedBecause, JourneyErrorCode } from './journey-api-error.js';
export { JourneyApi } from './journey-api.js';
export type {
  CallOptions,
  JourneyApiOptions,
  LiveOptions,
  RepeatableOptions,
  UpdateOptions,
} from './journey-api.js';
export type { LiveAnswer } from './answer.js';
export type { StoppedJourney } from './joining.js';
export type { PhonePosition } from './position.js';
export type { PushOutcome } from './update.js';
export { StudentWatcher } from './student-watcher.js';
export type { WatcherEvents } from './student-watcher.js';
export type { Watched, WatcherState } from './watched.js';
export { TrainerTracker } from './trainer-tracker.js';
export type {
  Silence,
  StartOptions,
  Tracked,
  TrackedJourney,
  TrackerCall,
  TrackerEvents,
  TrackerOptions,
  TrackerState,
} from './tracker-events.js';

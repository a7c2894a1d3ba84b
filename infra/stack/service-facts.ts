import { Duration } from 'aws-cdk-lib';

/** What the service does, as its code says; the tests of this folder hold it against that code. */
export const PORT = 3010;
export const MANAGEMENT_PORT = 9464;
export const HEALTH_PATH = '/health/live';
export const LIVE_PATH = '/api/v1/admin/location-tracking/journey/live';
/** Of a poll with Prefer: wait. */
export const LONGEST_WAIT = Duration.seconds(25);
/** After SIGTERM the listener stays open this long; the whole stop is cut by the service itself after 25 s. */
export const SHUTDOWN_DELAY = Duration.seconds(5);
/** When ECS kills what has not ended by itself. */
export const STOP_TIMEOUT = Duration.seconds(30);
/** Each waiting student holds a connection. */
export const OPEN_FILES = 65_536;
/** Where CloudWatch has the service's own metrics. */
export const METRICS_NAMESPACE = 'admin-service';

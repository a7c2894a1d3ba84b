import { Duration } from 'aws-cdk-lib';

/** Facts about the service that the infrastructure depends on; tests compare them with the service's code. */
export const PORT = 3010;
export const MANAGEMENT_PORT = 9464;
export const HEALTH_PATH = '/health/live';
export const LIVE_PATH = '/api/v1/admin/location-tracking/journey/live';
/** The longest wait of a poll with Prefer: wait. */
export const LONGEST_WAIT = Duration.seconds(25);
/** How long the listener stays open after SIGTERM. */
export const SHUTDOWN_DELAY = Duration.seconds(5);
/** How long ECS waits after SIGTERM before it kills the task. */
export const STOP_TIMEOUT = Duration.seconds(30);
/** Every waiting poll needs a connection. */
export const OPEN_FILES = 65_536;
/** The CloudWatch namespace of the service's metrics. */
export const METRICS_NAMESPACE = 'admin-service';
/** Label of image and container with the commit. */
export const REVISION_LABEL = 'org.opencontainers.image.revision';
/** The metric of 401 responses, counted in the service's log. */
export const REFUSED_TOKENS = 'refused_tokens';

import { TreatMissingData, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { Duration } from 'aws-cdk-lib';
import {
  callDuration,
  failedResponses,
  missingTasks,
  ownMetric,
  POLLS_ROUTE,
  redisMaximum,
  unhealthyTargets,
  type Watched,
} from './watched.js';

export interface AlarmRule {
  name: string;
  /** One sentence, shown in the notification. */
  meaning: string;
  metric: IMetric;
  /** The alarm fires when the metric exceeds it for `minutes` of the last `of` minutes. */
  threshold: number;
  minutes: number;
  /** Defaults to `minutes`. */
  of?: number;
  /** Defaults to "not breaching". */
  missing?: TreatMissingData;
}

/** The alarm that also rolls back a deployment. */
export const ROLLBACK_ALARM = 'failed-answers';

const { BREACHING } = TreatMissingData;
const minute = { period: Duration.minutes(1) };
const average = { ...minute, statistic: 'Average' };
const maximum = { ...minute, statistic: 'Maximum' };
export function alarmRules(watched: Watched): AlarmRule[] {
  return [...answers(watched), ...tasks(watched), ...redis(watched), ...outbox(), ...queues(watched)];
}

function answers({ balancer }: Watched): AlarmRule[] {
  return [
    {
      name: ROLLBACK_ALARM,
      meaning: 'More than 1 % of the responses are 5xx.',
      metric: failedResponses(balancer),
      ...{ threshold: 1, minutes: 3, of: 5 },
    },
    {
      name: 'slow-calls',
      meaning: 'The p99 duration of calls is above 0.5 s.',
      metric: callDuration(balancer, 'p99'),
      ...{ threshold: 0.5, minutes: 5, of: 10 },
    },
    {
      name: 'slow-polls',
      meaning: 'The p99 duration of polls without Prefer: wait is above 0.5 s.',
      metric: ownMetric('http_request_duration_seconds', 'p99', { route: POLLS_ROUTE }),
      ...{ threshold: 0.5, minutes: 5, of: 10 },
    },
  ];
}

function tasks({ balancer, service }: Watched): AlarmRule[] {
  return [
    {
      name: 'unhealthy-targets',
      meaning: "A task fails the load balancer's health check.",
      metric: unhealthyTargets(balancer),
      ...{ threshold: 0, minutes: 3, of: 5 },
    },
    {
      name: 'missing-tasks',
      meaning: 'Fewer tasks are running than desired.',
      metric: missingTasks(service),
      ...{ threshold: 0, minutes: 10 },
      missing: BREACHING,
    },
    {
      name: 'busy-tasks',
      meaning: 'Average CPU is above 85 %: scaling has not caught up or has reached tasks.max.',
      metric: service.tasks.metricCpuUtilization(average),
      ...{ threshold: 85, minutes: 10 },
    },
    {
      // Stretching the cadence keeps CPU below the threshold of busy-tasks.
      name: 'phones-put-off',
      meaning: 'An overloaded task asks phones to send at least 1.5 times less often than usual.',
      metric: ownMetric('update_interval_stretch', 'Maximum'),
      ...{ threshold: 1.5, minutes: 10 },
    },
    {
      name: 'full-tasks',
      meaning: 'Memory of a task is above 85 %; at 100 % ECS kills the task and its waiting polls.',
      metric: service.tasks.metricMemoryUtilization(maximum),
      ...{ threshold: 85, minutes: 5 },
    },
  ];
}

function redis({ redis: nodes }: Watched): AlarmRule[] {
  return [
    {
      name: 'redis-memory',
      meaning: 'Redis uses more than 70 % of its memory; when it is full, writes fail.',
      metric: redisMaximum(nodes, 'DatabaseMemoryUsagePercentage', 'Maximum'),
      ...{ threshold: 70, minutes: 5 },
    },
    {
      name: 'redis-cpu',
      meaning: 'The core that runs Redis scripts is above 70 %.',
      metric: redisMaximum(nodes, 'EngineCPUUtilization', 'Average'),
      ...{ threshold: 70, minutes: 5 },
    },
    {
      name: 'redis-evictions',
      meaning: 'Redis evicted keys, which must never happen: journeys or events are lost.',
      metric: redisMaximum(nodes, 'Evictions', 'Sum'),
      ...{ threshold: 0, minutes: 1 },
    },
    {
      name: 'redis-replica-behind',
      meaning: 'A replica is more than 5 s behind; a failover now would lose those writes.',
      metric: redisMaximum(nodes, 'ReplicationLag', 'Maximum'),
      ...{ threshold: 5, minutes: 5 },
    },
  ];
}

function outbox(): AlarmRule[] {
  return [
    {
      name: 'outbox-age',
      meaning: 'The oldest unpublished event is more than 3 minutes old, or the metric is missing.',
      metric: ownMetric('outbox_oldest_age_seconds', 'Maximum'),
      ...{ threshold: 180, minutes: 5 },
      missing: BREACHING,
    },
    {
      name: 'outbox-depth',
      meaning: 'More than 100,000 events are unpublished; above a million the oldest are dropped.',
      metric: ownMetric('outbox_depth', 'Maximum'),
      ...{ threshold: 100_000, minutes: 1 },
    },
    {
      name: 'events-refused',
      meaning: 'EventBridge rejected an event permanently.',
      metric: ownMetric('events_dead_total', 'Sum'),
      ...{ threshold: 0, minutes: 1 },
    },
  ];
}

function queues({ events: { queue, deadLetters, undelivered } }: Watched): AlarmRule[] {
  return [
    {
      name: 'events-undelivered',
      meaning: 'An event could not be delivered to the topic or the queue.',
      metric: undelivered.metricApproximateNumberOfMessagesVisible(maximum),
      ...{ threshold: 0, minutes: 1 },
    },
    {
      name: 'notifications-dead',
      meaning: 'The notification service failed to process an event five times.',
      metric: deadLetters.metricApproximateNumberOfMessagesVisible(maximum),
      ...{ threshold: 0, minutes: 1 },
    },
    {
      name: 'notifications-waiting',
      meaning: 'An event has been in the queue of the notification service for more than 15 minutes.',
      metric: queue.metricApproximateAgeOfOldestMessage(maximum),
      ...{ threshold: 900, minutes: 5 },
    },
  ];
}

import { TreatMissingData, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { Duration } from 'aws-cdk-lib';
import {
  callDuration,
  failedAnswers,
  missingTasks,
  ownMetric,
  POLLS_ROUTE,
  redisAtMost,
  unhealthyTargets,
  type Watched,
} from './watched.js';

export interface AlarmRule {
  name: string;
  /** One sentence; it is in the message. */
  meaning: string;
  metric: IMetric;
  /** Above it for so many minutes, of the last so many (as many, unless it says more). */
  threshold: number;
  minutes: number;
  of?: number;
  /** What no data means; nothing, unless it says otherwise. */
  missing?: TreatMissingData;
}

/** The one that also ends a deployment. */
export const ROLLS_BACK = 'failed-answers';

const { BREACHING } = TreatMissingData;
const minute = { period: Duration.minutes(1) };
const average = { ...minute, statistic: 'Average' };
const most = { ...minute, statistic: 'Maximum' };

/** In the order of a request. */
export function alarmRules(watched: Watched): AlarmRule[] {
  return [...answers(watched), ...tasks(watched), ...redis(watched), ...outbox(), ...queues(watched)];
}

function answers({ balancer }: Watched): AlarmRule[] {
  return [
    {
      name: ROLLS_BACK,
      meaning: 'More than 1 % of the answers are 5xx.',
      metric: failedAnswers(balancer),
      ...{ threshold: 1, minutes: 3, of: 5 },
    },
    {
      name: 'slow-calls',
      meaning: 'One call in a hundred takes more than half a second.',
      metric: callDuration(balancer, 'p99'),
      ...{ threshold: 0.5, minutes: 5, of: 10 },
    },
    {
      name: 'slow-polls',
      meaning: 'One poll in a hundred takes more than half a second, without having asked to wait.',
      metric: ownMetric('http_request_duration_seconds', 'p99', { route: POLLS_ROUTE }),
      ...{ threshold: 0.5, minutes: 5, of: 10 },
    },
  ];
}

function tasks({ balancer, service }: Watched): AlarmRule[] {
  return [
    {
      name: 'unhealthy-targets',
      meaning: 'A task does not answer the load balancer.',
      metric: unhealthyTargets(balancer),
      ...{ threshold: 0, minutes: 3, of: 5 },
    },
    {
      name: 'missing-tasks',
      meaning: 'Fewer tasks run than should.',
      metric: missingTasks(service),
      ...{ threshold: 0, minutes: 10 },
      missing: BREACHING,
    },
    {
      name: 'busy-tasks',
      meaning: 'The tasks are busy although more may be started, or no more may be.',
      metric: service.tasks.metricCpuUtilization(average),
      ...{ threshold: 85, minutes: 10 },
    },
    {
      // Phones that heed what they are asked keep a task from being as busy as busy-tasks looks for.
      name: 'phones-put-off',
      meaning:
        'A task has so much to do that it asks phones to come every 7.5 s or less often, not every 5 s.',
      metric: ownMetric('update_interval_stretch', 'Maximum'),
      ...{ threshold: 1.5, minutes: 10 },
    },
    {
      name: 'full-tasks',
      meaning: "A task's memory is nearly full; beyond it the task is killed with all who wait on it.",
      metric: service.tasks.metricMemoryUtilization(most),
      ...{ threshold: 85, minutes: 5 },
    },
  ];
}

function redis({ redis: nodes }: Watched): AlarmRule[] {
  return [
    {
      name: 'redis-memory',
      meaning: 'Redis has used more than 70 % of its memory; when it is full it refuses to write.',
      metric: redisAtMost(nodes, 'DatabaseMemoryUsagePercentage', 'Maximum'),
      ...{ threshold: 70, minutes: 5 },
    },
    {
      name: 'redis-cpu',
      meaning: "Redis' one core for scripts is more than 70 % busy.",
      metric: redisAtMost(nodes, 'EngineCPUUtilization', 'Average'),
      ...{ threshold: 70, minutes: 5 },
    },
    {
      name: 'redis-evictions',
      meaning: 'Redis has thrown out keys, which it never should: journeys or events are lost.',
      metric: redisAtMost(nodes, 'Evictions', 'Sum'),
      ...{ threshold: 0, minutes: 1 },
    },
    {
      name: 'redis-replica-behind',
      meaning: 'A replica is more than 5 s behind: a failover now would lose that.',
      metric: redisAtMost(nodes, 'ReplicationLag', 'Maximum'),
      ...{ threshold: 5, minutes: 5 },
    },
  ];
}

function outbox(): AlarmRule[] {
  return [
    {
      name: 'outbox-age',
      meaning:
        'The oldest event has waited for more than 3 minutes to be published, or nobody knows how long.',
      metric: ownMetric('outbox_oldest_age_seconds', 'Maximum'),
      ...{ threshold: 180, minutes: 5 },
      missing: BREACHING,
    },
    {
      name: 'outbox-depth',
      meaning:
        'A tenth of what the outbox holds at most is waiting; beyond all of it the oldest events are lost.',
      metric: ownMetric('outbox_depth', 'Maximum'),
      ...{ threshold: 100_000, minutes: 1 },
    },
    {
      name: 'events-refused',
      meaning: 'EventBridge has refused an event for good.',
      metric: ownMetric('events_dead_total', 'Sum'),
      ...{ threshold: 0, minutes: 1 },
    },
  ];
}

function queues({ events: { queue, deadLetters, undelivered } }: Watched): AlarmRule[] {
  return [
    {
      name: 'events-undelivered',
      meaning: 'An event did not come from the bus to the topic, or from the topic to the queue.',
      metric: undelivered.metricApproximateNumberOfMessagesVisible(most),
      ...{ threshold: 0, minutes: 1 },
    },
    {
      name: 'notifications-dead',
      meaning: 'The notification service could not handle an event in five tries.',
      metric: deadLetters.metricApproximateNumberOfMessagesVisible(most),
      ...{ threshold: 0, minutes: 1 },
    },
    {
      name: 'notifications-waiting',
      meaning: 'An event has waited for more than 15 minutes for the notification service.',
      metric: queue.metricApproximateAgeOfOldestMessage(most),
      ...{ threshold: 900, minutes: 5 },
    },
  ];
}

import { Duration } from 'aws-cdk-lib';
import { TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { AlarmRule } from './alarm-rules.js';
import { ownMetric, redisMaximum, type Watched } from './watched.js';

const maximum = { period: Duration.minutes(1), statistic: 'Maximum' };

/** Redis, the outbox in it, and the queues behind the event bus. */
export function dataAlarmRules(watched: Watched): AlarmRule[] {
  return [...redis(watched), ...outbox(), ...queues(watched)];
}

function redis({ redis: nodes }: Watched): AlarmRule[] {
  const ofAllNodes = (
    rule: Omit<AlarmRule, 'metric'>,
    [metricName, statistic]: [string, 'Average' | 'Maximum' | 'Sum'],
  ): AlarmRule[] =>
    redisMaximum(nodes, metricName, statistic).map((metric, index, { length }) => {
      const name = length === 1 ? rule.name : `${rule.name}-${index + 1}`;
      return { ...rule, name, metric };
    });
  return [
    ...ofAllNodes(
      {
        name: 'redis-memory',
        severity: 'page',
        meaning: 'Redis uses more than 70 % of its memory; when it is full, writes fail.',
        ...{ threshold: 70, minutes: 5 },
      },
      ['DatabaseMemoryUsagePercentage', 'Maximum'],
    ),
    ...ofAllNodes(
      {
        name: 'redis-cpu',
        severity: 'ticket',
        meaning: 'The core that runs Redis scripts is above 70 %.',
        ...{ threshold: 70, minutes: 5 },
      },
      ['EngineCPUUtilization', 'Average'],
    ),
    ...ofAllNodes(
      {
        name: 'redis-evictions',
        severity: 'page',
        meaning: 'Redis evicted keys, which must never happen: journeys or events are lost.',
        ...{ threshold: 0, minutes: 1 },
      },
      ['Evictions', 'Sum'],
    ),
    ...ofAllNodes(
      {
        name: 'redis-replica-behind',
        severity: 'ticket',
        meaning: 'A replica is more than 5 s behind; a failover now would lose those writes.',
        ...{ threshold: 5, minutes: 5 },
      },
      ['ReplicationLag', 'Maximum'],
    ),
  ];
}

function outbox(): AlarmRule[] {
  return [
    {
      name: 'outbox-age',
      severity: 'page',
      meaning: 'The oldest unpublished event is more than 3 minutes old, or the metric is missing.',
      metric: ownMetric('outbox_oldest_age_seconds', 'Maximum'),
      ...{ threshold: 180, minutes: 5 },
      missing: TreatMissingData.BREACHING,
    },
    {
      name: 'outbox-depth',
      severity: 'page',
      meaning: 'More than 100,000 events are unpublished; above a million the oldest are dropped.',
      metric: ownMetric('outbox_depth', 'Maximum'),
      ...{ threshold: 100_000, minutes: 1 },
    },
    {
      name: 'events-refused',
      severity: 'ticket',
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
      severity: 'ticket',
      meaning: 'An event could not be delivered to the topic or the queue.',
      metric: undelivered.metricApproximateNumberOfMessagesVisible(maximum),
      ...{ threshold: 0, minutes: 1 },
    },
    {
      name: 'notifications-dead',
      severity: 'ticket',
      meaning: 'The notification service failed to process an event five times.',
      metric: deadLetters.metricApproximateNumberOfMessagesVisible(maximum),
      ...{ threshold: 0, minutes: 1 },
    },
    {
      name: 'notifications-waiting',
      severity: 'ticket',
      meaning: 'An event has been in the queue of the notification service for more than 15 minutes.',
      metric: queue.metricApproximateAgeOfOldestMessage(maximum),
      ...{ threshold: 900, minutes: 5 },
    },
  ];
}

import { TreatMissingData, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { Duration } from 'aws-cdk-lib';
import type { Rule } from 'aws-cdk-lib/aws-events';
import { dataAlarmRules } from './data-alarm-rules.js';
import {
  blockedRequests,
  crashes,
  failedResponses,
  missingTasks,
  ownMetric,
  refusedRequests,
  refusedTokens,
  slowestCalls,
  slowestPolls,
  unhealthyTargets,
  vanishedTraffic,
  type Watched,
} from './watched.js';

/** page: at any hour. ticket: in the morning. hurt: part of the alarm users-are-hurt, which pages once for all of them. */
export type Severity = 'page' | 'ticket' | 'hurt';

export interface AlarmRule {
  name: string;
  severity: Severity;
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
/** Composite of all rules with the severity `hurt`. */
export const HURT_ALARM = 'users-are-hurt';

const { BREACHING } = TreatMissingData;
const minute = { period: Duration.minutes(1) };
const average = { ...minute, statistic: 'Average' };
const maximum = { ...minute, statistic: 'Maximum' };

export function alarmRules(watched: Watched, crashedTasks: Rule): AlarmRule[] {
  return [
    ...answers(watched),
    ...callers(watched),
    ...fromOutside(watched),
    ...tasks(watched, crashedTasks),
    ...dataAlarmRules(watched),
  ];
}

function answers({ balancer }: Watched): AlarmRule[] {
  return [
    {
      name: ROLLBACK_ALARM,
      severity: 'hurt',
      meaning: 'More than 1 % of the responses are 5xx.',
      metric: failedResponses(balancer),
      ...{ threshold: 1, minutes: 3, of: 5 },
    },
    {
      name: 'slow-calls',
      severity: 'hurt',
      meaning: 'The p99 duration of calls is above 0.5 s.',
      metric: slowestCalls(balancer),
      ...{ threshold: 0.5, minutes: 5, of: 10 },
    },
    {
      name: 'slow-polls',
      severity: 'hurt',
      meaning: 'The p99 duration of polls without Prefer: wait is above 0.5 s.',
      metric: slowestPolls(),
      ...{ threshold: 0.5, minutes: 5, of: 10 },
    },
  ];
}

function callers({ balancer }: Watched): AlarmRule[] {
  return [
    {
      // Overload too: what a busy task cannot serve in time is answered with 503.
      name: 'failing-slowly',
      severity: 'ticket',
      meaning: 'More than 0.1 % of the responses have been 5xx for a quarter of an hour.',
      metric: failedResponses(balancer),
      ...{ threshold: 0.1, minutes: 15, of: 20 },
    },
    {
      name: 'refused-tokens',
      severity: 'hurt',
      meaning:
        'More than 20 % of the responses are 401: the keys of the service and the token issuer differ.',
      metric: refusedTokens(balancer),
      ...{ threshold: 20, minutes: 5 },
    },
    {
      name: 'refused-requests',
      severity: 'ticket',
      meaning: 'More than 30 % of the responses are 4xx.',
      metric: refusedRequests(balancer),
      ...{ threshold: 30, minutes: 10, of: 15 },
    },
    {
      name: 'vanished-traffic',
      severity: 'hurt',
      meaning: 'Journeys are active, but their phones send no updates.',
      metric: vanishedTraffic(),
      ...{ threshold: 0, minutes: 5 },
    },
  ];
}

/** Only with the parts of the stack that they watch. */
function fromOutside({ canary, firewall }: Watched): AlarmRule[] {
  const rules: AlarmRule[] = [];
  if (canary)
    rules.push({
      name: 'canary',
      severity: 'hurt',
      meaning: 'Journeys of the canary fail, or the canary does not run.',
      metric: ownMetric('canary_failed', 'Maximum'),
      ...{ threshold: 0, minutes: 3, of: 5 },
      missing: BREACHING,
    });
  if (firewall)
    rules.push({
      name: 'blocked-requests',
      severity: 'ticket',
      meaning: 'The firewall blocks more than 100 requests a minute.',
      metric: blockedRequests(firewall),
      ...{ threshold: 100, minutes: 5 },
    });
  return rules;
}

function tasks({ balancer, service }: Watched, crashedTasks: Rule): AlarmRule[] {
  return [
    {
      name: 'crashing-tasks',
      severity: 'page',
      meaning: 'More than three tasks have crashed within 10 minutes.',
      metric: crashes(crashedTasks),
      ...{ threshold: 3, minutes: 1 },
    },
    {
      name: 'unhealthy-targets',
      severity: 'ticket',
      meaning: "A task fails the load balancer's health check.",
      metric: unhealthyTargets(balancer),
      ...{ threshold: 0, minutes: 3, of: 5 },
    },
    {
      name: 'missing-tasks',
      severity: 'page',
      meaning: 'Fewer tasks are running than desired.',
      metric: missingTasks(service),
      ...{ threshold: 0, minutes: 10 },
      missing: BREACHING,
    },
    {
      name: 'busy-tasks',
      severity: 'ticket',
      meaning: 'Average CPU is above 85 %: scaling has not caught up or has reached tasks.max.',
      metric: service.tasks.metricCpuUtilization(average),
      ...{ threshold: 85, minutes: 10 },
    },
    {
      // Stretching the cadence keeps CPU below the threshold of busy-tasks.
      name: 'phones-put-off',
      severity: 'ticket',
      meaning: 'An overloaded task asks phones to send at least 1.5 times less often than usual.',
      metric: ownMetric('update_interval_stretch', 'Maximum'),
      ...{ threshold: 1.5, minutes: 10 },
    },
    {
      name: 'full-tasks',
      severity: 'ticket',
      meaning: 'Memory of a task is above 85 %; at 100 % ECS kills the task and its waiting polls.',
      metric: service.tasks.metricMemoryUtilization(maximum),
      ...{ threshold: 85, minutes: 5 },
    },
  ];
}

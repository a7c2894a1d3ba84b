import { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import {
  HttpCodeElb,
  HttpCodeTarget,
  type ApplicationTargetGroup,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { Events } from './events.js';
import type { LoadBalancer } from './load-balancer.js';
import type { Redis } from './redis.js';
import type { Service } from './service.js';
import { METRICS_NAMESPACE } from './service-facts.js';

/** What alarms and the dashboard look at. */
export interface Watched {
  balancer: LoadBalancer;
  service: Service;
  redis: Redis;
  events: Events;
}

const period = Duration.minutes(1);

/** Routes as the service's metrics name them. */
export const UPDATES_ROUTE = '/location-tracking/journey/updates';
export const POLLS_ROUTE = '/location-tracking/journey/live';

/** One of the service's own, by its name on the management port. */
export function ownMetric(
  metricName: string,
  statistic: string,
  dimension: Record<string, string> = {},
): Metric {
  return new Metric({
    namespace: METRICS_NAMESPACE,
    metricName,
    statistic,
    period,
    dimensionsMap: dimension,
    label: Object.values(dimension)[0] ?? metricName,
  });
}

/** Answers with 5xx in percent of all; of few requests as if they were a hundred, so that one failure is no alarm. */
export function failedAnswers({ balancer }: LoadBalancer): MathExpression {
  const sum = { statistic: 'Sum', period };
  return new MathExpression({
    expression: '100 * (FILL(own, 0) + FILL(balancer, 0)) / IF(FILL(requests, 0) < 100, 100, requests)',
    usingMetrics: {
      own: balancer.metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, sum),
      balancer: balancer.metrics.httpCodeElb(HttpCodeElb.ELB_5XX_COUNT, sum),
      requests: balancer.metrics.requestCount(sum),
    },
    label: 'answers with 5xx, %',
    period,
  });
}

/** What callers wait for calls, in seconds, seen from the load balancer; polls are in another group, as they may wait. */
export function callDuration({ calls }: LoadBalancer, statistic: string): Metric {
  return calls.metrics.targetResponseTime({ statistic, period, label: statistic });
}

export function unhealthyTargets({ calls, polls }: LoadBalancer): MathExpression {
  const count = (group: ApplicationTargetGroup) =>
    group.metrics.unhealthyHostCount({ statistic: 'Maximum', period });
  return new MathExpression({
    expression: 'MAX([calls, polls])',
    usingMetrics: { calls: count(calls), polls: count(polls) },
    label: 'unhealthy targets',
    period,
  });
}

export function taskCount({ tasks }: Service, which: 'Running' | 'Desired'): Metric {
  return new Metric({
    namespace: 'ECS/ContainerInsights',
    metricName: `${which}TaskCount`,
    dimensionsMap: { ClusterName: tasks.cluster.clusterName, ServiceName: tasks.serviceName },
    statistic: which === 'Running' ? 'Minimum' : 'Maximum',
    period,
    label: which.toLowerCase(),
  });
}

export function missingTasks(service: Service): MathExpression {
  return new MathExpression({
    expression: 'desired - running',
    usingMetrics: { desired: taskCount(service, 'Desired'), running: taskCount(service, 'Running') },
    label: 'tasks missing',
    period,
  });
}

/** ElastiCache knows metrics of nodes only. */
export function redisMetric({ nodeIds }: Redis, metricName: string, statistic: string): Metric[] {
  return nodeIds.map(
    (CacheClusterId, index) =>
      new Metric({
        namespace: 'AWS/ElastiCache',
        metricName,
        dimensionsMap: { CacheClusterId },
        statistic,
        period,
        label: `node ${index + 1}`,
      }),
  );
}

/** Of the node that has most of it. */
export function redisAtMost(redis: Redis, metricName: string, statistic: string): MathExpression {
  const nodes = redisMetric(redis, metricName, statistic).map(
    (metric, index) => [`node${index + 1}`, metric] as const,
  );
  return new MathExpression({
    expression: `MAX([${nodes.map(([name]) => name).join(', ')}])`,
    usingMetrics: Object.fromEntries(nodes),
    label: metricName,
    period,
  });
}

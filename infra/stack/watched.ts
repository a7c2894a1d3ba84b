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

/** The components that alarms and the dashboard watch. */
export interface Watched {
  balancer: LoadBalancer;
  service: Service;
  redis: Redis;
  events: Events;
}

const period = Duration.minutes(1);

/** Values of the label `route` in the service's metrics. */
export const UPDATES_ROUTE = '/location-tracking/journey/updates';
export const POLLS_ROUTE = '/location-tracking/journey/live';

/** A metric of the service, by its Prometheus name. */
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

/** 5xx responses in percent. Counts at least 100 requests, so that one failure at low traffic raises no alarm. */
export function failedResponses({ balancer }: LoadBalancer): MathExpression {
  const sum = { statistic: 'Sum', period };
  return new MathExpression({
    expression: '100 * (FILL(own, 0) + FILL(balancer, 0)) / IF(FILL(requests, 0) < 100, 100, requests)',
    usingMetrics: {
      own: balancer.metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, sum),
      balancer: balancer.metrics.httpCodeElb(HttpCodeElb.ELB_5XX_COUNT, sum),
      requests: balancer.metrics.requestCount(sum),
    },
    label: '5xx responses, %',
    period,
  });
}

/** Duration of calls other than live polls at the load balancer, in seconds. */
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

/** One metric per node: ElastiCache has none for the whole replication group. */
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

/** The maximum over all nodes. */
export function redisMaximum(redis: Redis, metricName: string, statistic: string): MathExpression {
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

import { Duration, Stack } from 'aws-cdk-lib';
import { MathExpression, Metric, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import {
  HttpCodeElb,
  HttpCodeTarget,
  type ApplicationTargetGroup,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { Rule } from 'aws-cdk-lib/aws-events';
import type { CanaryTask } from './canary-task.js';
import type { Events } from './events.js';
import type { Firewall } from './firewall.js';
import type { LoadBalancer } from './load-balancer.js';
import type { Redis } from './redis.js';
import type { Service } from './service.js';
import { METRICS_NAMESPACE, REFUSED_TOKENS } from './service-facts.js';

/** The components that alarms and the dashboard watch. */
export interface Watched {
  balancer: LoadBalancer;
  service: Service;
  redis: Redis;
  events: Events;
  firewall: Firewall | undefined;
  canary: CanaryTask | undefined;
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

const FEWEST_REQUESTS = 100;

/** The metric, or 0 in minutes with so few requests that a single one decides it. */
function ifBusy(metric: IMetric, requests: IMetric, label: string): MathExpression {
  return new MathExpression({
    expression: `IF(FILL(requests, 0) < ${FEWEST_REQUESTS}, 0, value)`,
    usingMetrics: { value: metric, requests },
    label,
    period,
  });
}

/** p99 of calls at the load balancer, in seconds. */
export function slowestCalls(balancer: LoadBalancer): MathExpression {
  const requests = balancer.calls.metrics.requestCount({ statistic: 'Sum', period });
  return ifBusy(callDuration(balancer, 'p99'), requests, 'p99 of calls, s');
}

/** p99 of polls without Prefer: wait in the service, in seconds. */
export function slowestPolls(): MathExpression {
  const of = (statistic: string) =>
    ownMetric('http_request_duration_seconds', statistic, { route: POLLS_ROUTE });
  return ifBusy(of('p99'), of('SampleCount'), 'p99 of polls, s');
}

/** Responses with 401 in percent, counted like failedResponses. */
export function refusedTokens({ balancer }: LoadBalancer): MathExpression {
  return share({
    label: '401 responses, %',
    of: ownMetric(REFUSED_TOKENS, 'Sum'),
    all: balancer.metrics.requestCount({ statistic: 'Sum', period }),
  });
}

/** 4xx responses in percent, counted like failedResponses. */
export function refusedRequests({ balancer }: LoadBalancer): MathExpression {
  const sum = { statistic: 'Sum', period };
  return share({
    label: '4xx responses, %',
    of: balancer.metrics.httpCodeTarget(HttpCodeTarget.TARGET_4XX_COUNT, sum),
    all: balancer.metrics.requestCount(sum),
  });
}

function share({ label, of, all }: { label: string; of: IMetric; all: IMetric }): MathExpression {
  return new MathExpression({
    expression: `100 * FILL(part, 0) / IF(FILL(requests, 0) < ${FEWEST_REQUESTS}, ${FEWEST_REQUESTS}, requests)`,
    usingMetrics: { part: of, requests: all },
    label,
    period,
  });
}

/** 1 if at least 20 journeys are active and their phones send less than one update a minute each; 4 to 12 are usual. */
export function vanishedTraffic(): MathExpression {
  const outcome = (value: string) => ownMetric('location_updates_total', 'Sum', { outcome: value });
  return new MathExpression({
    expression: 'IF(journeys >= 20 AND FILL(recorded, 0) + FILL(heartbeats, 0) < journeys, 1, 0)',
    usingMetrics: {
      journeys: ownMetric('journeys_active', 'Maximum'),
      recorded: outcome('recorded'),
      heartbeats: outcome('heartbeat'),
    },
    label: 'updates have vanished',
    period,
  });
}

/** Requests that the firewall blocked. */
export function blockedRequests(firewall: Firewall): Metric {
  return new Metric({
    namespace: 'AWS/WAFV2',
    metricName: 'BlockedRequests',
    dimensionsMap: { WebACL: firewall.metricName, Region: Stack.of(firewall).region, Rule: 'ALL' },
    statistic: 'Sum',
    period,
  });
}

/** Stops that ECS had not asked for, by the rule that notifies of them. */
export function crashes(rule: Rule): Metric {
  return new Metric({
    namespace: 'AWS/Events',
    metricName: 'Invocations',
    dimensionsMap: { RuleName: rule.ruleName },
    statistic: 'Sum',
    period: Duration.minutes(10),
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

/** An alarm takes at most ten metrics. */
const METRICS_OF_AN_ALARM = 10;

/** The maximum over all nodes; of a large cluster one for every ten nodes. */
export function redisMaximum(redis: Redis, metricName: string, statistic: string): MathExpression[] {
  const nodes = redisMetric(redis, metricName, statistic);
  const groups = Array.from({ length: Math.ceil(nodes.length / METRICS_OF_AN_ALARM) }, (_none, index) =>
    nodes.slice(index * METRICS_OF_AN_ALARM, (index + 1) * METRICS_OF_AN_ALARM),
  );
  return groups.map((group) => {
    const named = group.map((metric, index) => [`node${index + 1}`, metric] as const);
    return new MathExpression({
      expression: `MAX([${named.map(([name]) => name).join(', ')}])`,
      usingMetrics: Object.fromEntries(named),
      label: metricName,
      period,
    });
  });
}

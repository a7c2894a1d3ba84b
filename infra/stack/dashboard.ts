import { Duration, Stack } from 'aws-cdk-lib';
import {
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  TextWidget,
  type IMetric,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { output } from './output.js';
import {
  callDuration,
  failedResponses,
  missingTasks,
  ownMetric,
  POLLS_ROUTE,
  redisMetric,
  taskCount,
  unhealthyTargets,
  UPDATES_ROUTE,
  type Watched,
} from './watched.js';

const period = Duration.minutes(1);
const sum = { statistic: 'Sum', period };
const maximum = { statistic: 'Maximum', period };

/** One row per component, in the order in which a request passes through them. */
export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, watched: Watched) {
    super(scope, id);
    const { stackName } = Stack.of(this);
    const board = new CloudWatchDashboard(this, 'Board', {
      dashboardName: stackName,
      defaultInterval: Duration.hours(3),
    });
    for (const [title, graphs] of Object.entries(rows(watched))) {
      board.addWidgets(new TextWidget({ markdown: `## ${title}`, width: 24, height: 1 }));
      const width = Math.floor(24 / Object.keys(graphs).length);
      board.addWidgets(
        ...Object.entries(graphs).map(
          ([graph, left]) => new GraphWidget({ title: graph, left, width, height: 6, leftYAxis: { min: 0 } }),
        ),
      );
    }
    output(this, 'Dashboard', stackName);
  }
}

type Graphs = Record<string, IMetric[]>;

function rows(watched: Watched): Record<string, Graphs> {
  return {
    Callers: callers(watched),
    Journeys: journeys(),
    Tasks: tasks(watched),
    Dependencies: dependencies(),
    Redis: redis(watched),
    Events: eventDelivery(watched),
  };
}

function callers({ balancer }: Watched): Graphs {
  return {
    'Requests per minute': [
      balancer.calls.metrics.requestCount({ ...sum, label: 'calls' }),
      balancer.polls.metrics.requestCount({ ...sum, label: 'polls' }),
    ],
    '5xx responses, %': [failedResponses(balancer)],
    'Call duration, s': ['p50', 'p95', 'p99'].map((statistic) => callDuration(balancer, statistic)),
    'Poll duration without wait, s': ['p50', 'p99'].map((statistic) =>
      ownMetric('http_request_duration_seconds', statistic, { route: POLLS_ROUTE }).with({
        label: statistic,
      }),
    ),
  };
}

function journeys(): Graphs {
  return {
    Active: [ownMetric('journeys_active', 'Maximum')],
    'Updates per minute by outcome': ['recorded', 'reanchored', 'rateLimited', 'implausible', 'stale'].map(
      (outcome) => ownMetric('location_updates_total', 'Sum', { outcome }),
    ),
    'Polls per minute by source': ['state', 'change', 'cache', 'postgres'].map((source) =>
      ownMetric('live_polls_total', 'Sum', { source }),
    ),
    'Waiting polls, busiest task': [ownMetric('live_polls_waiting', 'Maximum')],
    'Update interval stretch, busiest task': [ownMetric('update_interval_stretch', 'Maximum')],
  };
}

function tasks({ balancer, service }: Watched): Graphs {
  return {
    Tasks: [taskCount(service, 'Running'), taskCount(service, 'Desired'), missingTasks(service)],
    'Unhealthy targets': [unhealthyTargets(balancer)],
    'CPU, %': [service.tasks.metricCpuUtilization(maximum), service.tasks.metricCpuUtilization({ period })],
    'Memory, %': [service.tasks.metricMemoryUtilization(maximum)],
  };
}

function dependencies(): Graphs {
  return {
    'Update duration in the service, s': ['p50', 'p99'].map((statistic) =>
      ownMetric('http_request_duration_seconds', statistic, { route: UPDATES_ROUTE }).with({
        label: statistic,
      }),
    ),
    'Redis calls, p99, s': ['ok', 'failed'].map((outcome) =>
      ownMetric('redis_call_duration_seconds', 'p99', { outcome }),
    ),
    'Postgres queries, p99, s': ['ok', 'failed'].map((outcome) =>
      ownMetric('postgres_query_duration_seconds', 'p99', { outcome }),
    ),
  };
}

function redis({ redis: nodes }: Watched): Graphs {
  return {
    'Engine CPU, %': redisMetric(nodes, 'EngineCPUUtilization', 'Average'),
    'Memory, %': redisMetric(nodes, 'DatabaseMemoryUsagePercentage', 'Maximum'),
    Connections: redisMetric(nodes, 'CurrConnections', 'Maximum'),
    'Replication lag, s': redisMetric(nodes, 'ReplicationLag', 'Maximum'),
  };
}

function eventDelivery({ events: { queue, deadLetters, undelivered } }: Watched): Graphs {
  return {
    'Published, retried, dead, expired': [
      ownMetric('events_published_total', 'Sum'),
      ownMetric('events_retried_total', 'Sum'),
      ownMetric('events_dead_total', 'Sum'),
      ownMetric('journeys_expired_total', 'Sum'),
    ],
    'Outbox depth': [ownMetric('outbox_depth', 'Maximum')],
    'Oldest unpublished event, s': [ownMetric('outbox_oldest_age_seconds', 'Maximum')],
    'Messages in the queues': [queue, deadLetters, undelivered].map((each) =>
      each.metricApproximateNumberOfMessagesVisible(maximum),
    ),
  };
}

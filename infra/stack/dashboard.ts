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
  failedAnswers,
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

/** One row for each place that a request comes to. */
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
    'What callers see': callers(watched),
    Journeys: journeys(),
    Tasks: tasks(watched),
    'What the tasks wait for': dependencies(),
    Redis: redis(watched),
    Events: eventsOnTheirWay(watched),
  };
}

function callers({ balancer }: Watched): Graphs {
  return {
    'Requests a minute': [
      balancer.calls.metrics.requestCount({ ...sum, label: 'calls' }),
      balancer.polls.metrics.requestCount({ ...sum, label: 'polls' }),
    ],
    'Answers with 5xx, %': [failedAnswers(balancer)],
    'Refused a minute, for too much to do': [ownMetric('requests_shed_total', 'Sum')],
    'Duration of calls, s': ['p50', 'p95', 'p99'].map((statistic) => callDuration(balancer, statistic)),
    'Duration of polls without a wait, s': ['p50', 'p99'].map((statistic) =>
      ownMetric('http_request_duration_seconds', statistic, { route: POLLS_ROUTE }).with({
        label: statistic,
      }),
    ),
  };
}

function journeys(): Graphs {
  return {
    'Going on': [ownMetric('journeys_active', 'Maximum')],
    'Positions a minute, by what became of them': ['recorded', 'rateLimited', 'implausible', 'stale'].map(
      (outcome) => ownMetric('location_updates_total', 'Sum', { outcome }),
    ),
    'Polls a minute, by where the answer came from': ['state', 'change', 'cache', 'postgres'].map((source) =>
      ownMetric('live_polls_total', 'Sum', { source }),
    ),
    'Students who wait, in the task with most of them': [ownMetric('live_polls_waiting', 'Maximum')],
    'Phones are asked to come so many times later, by the busiest task': [
      ownMetric('update_interval_stretch', 'Maximum'),
    ],
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
    'Updates in the service, s': ['p50', 'p99'].map((statistic) =>
      ownMetric('http_request_duration_seconds', statistic, { route: UPDATES_ROUTE }).with({
        label: statistic,
      }),
    ),
    'Calls to Redis, p99, s': ['ok', 'failed'].map((outcome) =>
      ownMetric('redis_call_duration_seconds', 'p99', { outcome }),
    ),
    'Queries to Postgres, p99, s': ['ok', 'failed'].map((outcome) =>
      ownMetric('postgres_query_duration_seconds', 'p99', { outcome }),
    ),
  };
}

function redis({ redis: nodes }: Watched): Graphs {
  return {
    'CPU of the engine, %': redisMetric(nodes, 'EngineCPUUtilization', 'Average'),
    'Memory, %': redisMetric(nodes, 'DatabaseMemoryUsagePercentage', 'Maximum'),
    Connections: redisMetric(nodes, 'CurrConnections', 'Maximum'),
    'Behind the primary, s': redisMetric(nodes, 'ReplicationLag', 'Maximum'),
  };
}

function eventsOnTheirWay({ events: { queue, deadLetters, undelivered } }: Watched): Graphs {
  return {
    'Published, tried again, refused': [
      ownMetric('events_published_total', 'Sum'),
      ownMetric('events_retried_total', 'Sum'),
      ownMetric('events_dead_total', 'Sum'),
      ownMetric('journeys_expired_total', 'Sum'),
    ],
    'In the outbox': [ownMetric('outbox_depth', 'Maximum')],
    'Oldest in the outbox, s': [ownMetric('outbox_oldest_age_seconds', 'Maximum')],
    'In the queues': [queue, deadLetters, undelivered].map((each) =>
      each.metricApproximateNumberOfMessagesVisible(maximum),
    ),
  };
}

import { Stack } from 'aws-cdk-lib';
import {
  Alarm,
  AlarmRule as Rules,
  ComparisonOperator,
  CompositeAlarm,
  TreatMissingData,
  type AlarmBase,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { AlarmBehavior } from 'aws-cdk-lib/aws-ecs';
import * as events from 'aws-cdk-lib/aws-events';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import { FilterPattern, MetricFilter } from 'aws-cdk-lib/aws-logs';
import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription, UrlSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { StageSettings } from '../settings/stage-settings.js';
import { output } from './output.js';
import { alarmRules, HURT_ALARM, ROLLBACK_ALARM, type AlarmRule } from './alarm-rules.js';
import { METRICS_NAMESPACE, REFUSED_TOKENS } from './service-facts.js';
import { alarmsOfThisAccount, rulePublisher } from './topic-access.js';
import type { Watched } from './watched.js';

/** Pages and tickets. README.md says what each alarm means and what to do. */
export class Alarms extends Construct {
  readonly pages: sns.Topic;
  readonly tickets: sns.Topic;
  readonly #publisher = rulePublisher(this);

  constructor(scope: Construct, id: string, { settings, ...watched }: Watched & { settings: StageSettings }) {
    super(scope, id);
    this.pages = this.#topicFor('Pages', settings.pageTo, watched);
    this.tickets = this.#topicFor('Tickets', settings.ticketTo, watched);
    this.#countRefusedTokens(watched);
    const crashedTasks = this.#reportCrashes(watched);
    const hurting: AlarmBase[] = [];
    for (const rule of alarmRules(watched, crashedTasks)) {
      const alarm = this.#alarm(rule);
      if (rule.severity === 'hurt') hurting.push(alarm);
      else this.#notify(alarm, rule.severity === 'page' ? this.pages : this.tickets);
      if (rule.name === ROLLBACK_ALARM) this.#rollBackDeploymentsOn(alarm, watched);
    }
    this.#notify(this.#usersAreHurt(hurting), this.pages);
    this.#reportFailedDeployments(watched);
    output(this, 'PageTopic', this.pages.topicArn);
    output(this, 'TicketTopic', this.tickets.topicArn);
  }

  #topicFor(id: string, recipients: string[], { events: { topicKey } }: Watched): sns.Topic {
    const topic = new sns.Topic(this, id, { masterKey: topicKey, enforceSSL: true });
    topic.addToResourcePolicy(alarmsOfThisAccount(this, ['sns:Publish'], topic.topicArn));
    for (const recipient of recipients)
      topic.addSubscription(
        recipient.startsWith('https:') ? new UrlSubscription(recipient) : new EmailSubscription(recipient),
      );
    return topic;
  }

  #alarm({ name, severity, meaning, metric, threshold, minutes, of = minutes, missing }: AlarmRule): Alarm {
    return new Alarm(this, name, {
      alarmName: `${Stack.of(this).stackName}-${name}`,
      alarmDescription: describe(name, severity, meaning),
      metric,
      threshold,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: of,
      datapointsToAlarm: minutes,
      treatMissingData: missing ?? TreatMissingData.NOT_BREACHING,
    });
  }

  /** One page for an outage that several alarms see. */
  #usersAreHurt(hurting: AlarmBase[]): CompositeAlarm {
    return new CompositeAlarm(this, HURT_ALARM, {
      compositeAlarmName: `${Stack.of(this).stackName}-${HURT_ALARM}`,
      alarmDescription: describe(HURT_ALARM, 'page', 'Trainers or students do not get what they need.'),
      alarmRule: Rules.anyOf(...hurting),
    });
  }

  #notify(alarm: AlarmBase, topic: sns.Topic): void {
    alarm.addAlarmAction(new SnsAction(topic));
    alarm.addOkAction(new SnsAction(topic));
  }

  /** The load balancer counts 4xx only in total. Refused requests are never sampled in the log. */
  #countRefusedTokens({ service: { log } }: Watched): void {
    new MetricFilter(this, 'RefusedTokens', {
      logGroup: log,
      filterPattern: FilterPattern.numberValue('$.status', '=', 401),
      metricNamespace: METRICS_NAMESPACE,
      metricName: REFUSED_TOKENS,
    });
  }

  /** The circuit breaker does not see a version that is healthy but fails requests. */
  #rollBackDeploymentsOn(alarm: Alarm, { service: { tasks } }: Watched): void {
    tasks.enableDeploymentAlarms([`${Stack.of(this).stackName}-${ROLLBACK_ALARM}`], {
      behavior: AlarmBehavior.ROLLBACK_ON_ALARM,
    });
    tasks.node.addDependency(alarm);
  }

  /** Tasks whose container ended by itself or was killed, in contrast to those that ECS stopped. */
  #reportCrashes({ service: { tasks } }: Watched): events.Rule {
    return new events.Rule(this, 'CrashedTasks', {
      description: 'Tasks whose container exited or ran out of memory',
      eventPattern: {
        source: ['aws.ecs'],
        detailType: ['ECS Task State Change'],
        detail: {
          clusterArn: [tasks.cluster.clusterArn],
          group: [`service:${tasks.serviceName}`],
          lastStatus: ['STOPPED'],
          stopCode: ['EssentialContainerExited'],
        },
      },
      targets: [new SnsTopic(this.tickets, { role: this.#publisher })],
    });
  }

  #reportFailedDeployments({ service: { tasks } }: Watched): void {
    new events.Rule(this, 'FailedDeployments', {
      description: 'Deployments that ECS rolled back',
      eventPattern: {
        source: ['aws.ecs'],
        detailType: ['ECS Deployment State Change'],
        resources: [tasks.serviceArn],
        detail: { eventName: ['SERVICE_DEPLOYMENT_FAILED'] },
      },
      targets: [new SnsTopic(this.tickets, { role: this.#publisher })],
    });
  }
}

function describe(name: string, severity: AlarmRule['severity'], meaning: string): string {
  return `[${severity === 'hurt' ? 'page' : severity}] ${meaning} What to do: infra/README.md, Alarms, ${name}.`;
}

import { Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { AlarmBehavior } from 'aws-cdk-lib/aws-ecs';
import * as events from 'aws-cdk-lib/aws-events';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { StageSettings } from '../settings/stage-settings.js';
import { output } from './output.js';
import { alarmRules, ROLLBACK_ALARM, type AlarmRule } from './alarm-rules.js';
import type { Watched } from './watched.js';

/** Alarms that need action now. README.md says what each means and what to do. */
export class Alarms extends Construct {
  readonly topic: sns.Topic;

  constructor(scope: Construct, id: string, { settings, ...watched }: Watched & { settings: StageSettings }) {
    super(scope, id);
    this.topic = this.#topicFor(settings.alarmEmails, watched);
    for (const rule of alarmRules(watched)) {
      const alarm = this.#alarm(rule);
      if (rule.name === ROLLBACK_ALARM) this.#rollBackDeploymentsOn(alarm, watched);
    }
    this.#notifyOfFailedDeployments(watched);
    output(this, 'AlarmTopic', this.topic.topicArn);
  }

  #topicFor(emails: string[], { events: { topicKey } }: Watched): sns.Topic {
    const topic = new sns.Topic(this, 'Topic', { masterKey: topicKey, enforceSSL: true });
    topic.grantPublish(new ServicePrincipal('cloudwatch.amazonaws.com'));
    for (const email of emails) topic.addSubscription(new EmailSubscription(email));
    return topic;
  }

  #alarm({ name, meaning, metric, threshold, minutes, of = minutes, missing }: AlarmRule): Alarm {
    const alarm = new Alarm(this, name, {
      alarmName: `${Stack.of(this).stackName}-${name}`,
      alarmDescription: `${meaning} What to do: infra/README.md, Alarms, ${name}.`,
      metric,
      threshold,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: of,
      datapointsToAlarm: minutes,
      treatMissingData: missing ?? TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(this.topic));
    alarm.addOkAction(new SnsAction(this.topic));
    return alarm;
  }

  /** The circuit breaker does not see a version that is healthy but fails requests. */
  #rollBackDeploymentsOn(alarm: Alarm, { service: { tasks } }: Watched): void {
    tasks.enableDeploymentAlarms([`${Stack.of(this).stackName}-${ROLLBACK_ALARM}`], {
      behavior: AlarmBehavior.ROLLBACK_ON_ALARM,
    });
    tasks.node.addDependency(alarm);
  }

  #notifyOfFailedDeployments({ service: { tasks } }: Watched): void {
    new events.Rule(this, 'FailedDeployments', {
      description: 'Deployments that ECS rolled back',
      eventPattern: {
        source: ['aws.ecs'],
        detailType: ['ECS Deployment State Change'],
        resources: [tasks.serviceArn],
        detail: { eventName: ['SERVICE_DEPLOYMENT_FAILED'] },
      },
      targets: [new SnsTopic(this.topic)],
    });
  }
}

import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';
import { SqsSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { eventTypes, type StageSettings } from '../settings/stage-settings.js';
import { output } from './output.js';
import { explain } from './explained-findings.js';
import type { Service } from './service.js';
import { alarmsOfThisAccount, rulePublisher } from './topic-access.js';

const RETENTION = Duration.days(14);

/** Event delivery: bus with archive, rule, topic, queue. Nothing is dropped on the way. */
export class Events extends Construct {
  /** CloudWatch cannot publish to a topic that is encrypted with the AWS managed key. */
  readonly topicKey: kms.Key;
  readonly queue: sqs.Queue;
  /** Events that the notification service failed to process. */
  readonly deadLetters: sqs.Queue;
  /** Events that EventBridge or SNS failed to deliver. */
  readonly undelivered: sqs.Queue;

  constructor(
    scope: Construct,
    id: string,
    { settings, service }: { settings: StageSettings; service: Service },
  ) {
    super(scope, id);
    this.topicKey = new kms.Key(this, 'TopicKey', {
      description: 'admin-service: topics',
      enableKeyRotation: true,
    });
    this.topicKey.addToResourcePolicy(
      alarmsOfThisAccount(this, ['kms:Decrypt', 'kms:GenerateDataKey*'], '*'),
    );
    this.deadLetters = this.#queue('DeadLetters', 'notification-service-queue-dead-letters');
    this.undelivered = this.#queue('Undelivered', 'journey-events-undelivered');
    this.queue = this.#queue('Queue', 'notification-service-queue', {
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 5 },
      visibilityTimeout: Duration.minutes(1),
    });
    explain([this.undelivered], {
      'AwsSolutions-SQS3':
        'This queue is itself a dead-letter queue: it takes what EventBridge and SNS could not deliver.',
    });

    const bus = this.#bus(settings.archiveDays);
    const topic = this.#topic(bus);
    this.#notify(topic, settings.notifiedEvents);
    // The only AWS permission of a task.
    bus.grantPutEventsTo(service.tasks.taskDefinition.taskRole);
    service.configure({ EVENT_BRIDGE_BUS_NAME: bus.eventBusName });
    output(this, 'QueueUrl', this.queue.queueUrl);
  }

  #queue(id: string, queueName: string, props: sqs.QueueProps = {}): sqs.Queue {
    return new sqs.Queue(this, id, {
      queueName,
      // With a customer managed key, consumers would need permission to use it.
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: RETENTION,
      ...props,
    });
  }

  #bus(archiveDays: number): events.EventBus {
    const bus = new events.EventBus(this, 'Bus', { eventBusName: 'application-events' });
    bus.archive('Archive', {
      description: 'For replaying events that a consumer lost',
      eventPattern: { source: ['admin-service'] },
      retention: Duration.days(archiveDays),
    });
    return bus;
  }

  #topic(bus: events.EventBus): sns.Topic {
    const topic = new sns.Topic(this, 'Topic', {
      topicName: 'journey-events',
      masterKey: this.topicKey,
      enforceSSL: true,
    });
    new events.Rule(this, 'JourneyEvents', {
      eventBus: bus,
      description: 'All journey events to the topic; subscribers filter',
      eventPattern: { source: ['admin-service'], detailType: [...eventTypes] },
      targets: [
        new targets.SnsTopic(topic, { role: rulePublisher(this), deadLetterQueue: this.undelivered }),
      ],
    });
    return topic;
  }

  /** Filtered, because an event type that the consumer does not know would end in the dead-letter queue. */
  #notify(topic: sns.Topic, types: StageSettings['notifiedEvents']): void {
    topic.addSubscription(
      new SqsSubscription(this.queue, {
        rawMessageDelivery: true,
        deadLetterQueue: this.undelivered,
        filterPolicyWithMessageBody: {
          'detail-type': sns.FilterOrPolicy.filter(sns.SubscriptionFilter.stringFilter({ allowlist: types })),
        },
      }),
    );
  }
}

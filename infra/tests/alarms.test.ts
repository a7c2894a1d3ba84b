import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Match } from 'aws-cdk-lib/assertions';
import { stageNames } from '../settings/stage-settings.js';
import { resources, templateOf } from './support/a-stack.js';

const operations = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
const alarmsOf = (stage: 'dev' | 'prod') =>
  Object.values(resources(templateOf(stage), 'AWS::CloudWatch::Alarm'));
const nameOf = (alarm: Record<string, unknown>) =>
  (alarm['AlarmName'] as string).replace(/^admin-service-\w+?-/, '');

const expectedAlarms = [
  ...[
    'failed-answers',
    'slow-calls',
    'slow-polls',
    'unhealthy-targets',
    'missing-tasks',
    'busy-tasks',
    'phones-put-off',
    'full-tasks',
  ],
  ...['redis-memory', 'redis-cpu', 'redis-evictions', 'redis-replica-behind', 'outbox-age', 'outbox-depth'],
  ...['events-refused', 'events-undelivered', 'notifications-dead', 'notifications-waiting'],
];

test.each(stageNames)('%s has every alarm', (stage) => {
  expect(alarmsOf(stage).map(nameOf).sort()).toEqual([...expectedAlarms].sort());
});

test.each(stageNames)('%s notifies the topic when an alarm fires and when it clears', (stage) => {
  for (const alarm of alarmsOf(stage)) {
    const topic = [{ Ref: expect.stringMatching(/^AlarmsTopic/) as unknown }];
    expect(alarm).toMatchObject({ AlarmActions: topic, OKActions: topic });
    expect(alarm).not.toHaveProperty('ActionsEnabled', false);
  }
});

test('CloudWatch and EventBridge can publish to the topic and use its key', () => {
  const template = templateOf('prod');
  template.hasResourceProperties('AWS::SNS::TopicPolicy', {
    Topics: [{ Ref: Match.stringLikeRegexp('^AlarmsTopic') }],
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({
          Effect: 'Allow',
          Action: 'sns:Publish',
          Principal: { Service: ['cloudwatch.amazonaws.com', 'events.amazonaws.com'] },
        }),
      ]),
    },
  });
  template.hasResourceProperties('AWS::KMS::Key', {
    KeyPolicy: {
      Statement: Match.arrayWith([
        Match.objectLike({
          Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
          Principal: { Service: ['cloudwatch.amazonaws.com', 'events.amazonaws.com'] },
        }),
      ]),
    },
  });
});

test('every configured address is subscribed to the topic', () => {
  const alarmEmails = ['one@example.org', 'two@example.org'];
  const subscriptions = Object.values(
    resources(templateOf('prod', { alarmEmails }), 'AWS::SNS::Subscription'),
  );
  const addresses = subscriptions.flatMap(({ Protocol, Endpoint }) =>
    Protocol === 'email' ? [Endpoint] : [],
  );
  expect(addresses).toEqual(alarmEmails);
});

test('a rolled back deployment notifies the topic', () => {
  templateOf('prod').hasResourceProperties('AWS::Events::Rule', {
    EventPattern: Match.objectLike({
      source: ['aws.ecs'],
      detail: { eventName: ['SERVICE_DEPLOYMENT_FAILED'] },
    }),
    Targets: [Match.objectLike({ Arn: { Ref: Match.stringLikeRegexp('^AlarmsTopic') } })],
  });
});

test('every alarm says what it means and has a row in the alarms table of the README', () => {
  const rows = [...operations.matchAll(/^\| `([\w-]+)` +\|/gm)].map(([, name]) => name);
  expect(rows.filter((name) => expectedAlarms.includes(name ?? '')).sort()).toEqual(
    [...expectedAlarms].sort(),
  );
  for (const alarm of alarmsOf('prod')) {
    expect(alarm['AlarmDescription']).toMatch(new RegExp(`^[A-Z].*\\. What to do: .*${nameOf(alarm)}\\.$`));
  }
});

test('dev and prod have the same thresholds', () => {
  const limits = (stage: 'dev' | 'prod') =>
    alarmsOf(stage).map((alarm) => [nameOf(alarm), alarm['Threshold']]);
  expect(limits('dev')).toEqual(limits('prod'));
});

test('missing data about the outbox or the tasks raises an alarm', () => {
  for (const name of ['outbox-age', 'missing-tasks']) {
    const alarm = alarmsOf('prod').find((each) => nameOf(each) === name);
    expect(alarm?.['TreatMissingData']).toBe('breaching');
  }
});

test('Redis alarms cover every node', () => {
  const template = templateOf('prod', { redis: { replicas: 2 } });
  const memory = Object.values(resources(template, 'AWS::CloudWatch::Alarm')).find(
    (each) => nameOf(each) === 'redis-memory',
  );
  const metrics = memory?.['Metrics'] as { Expression?: string; MetricStat?: unknown }[];
  expect(metrics.filter(({ MetricStat }) => MetricStat !== undefined)).toHaveLength(3);
  expect(JSON.stringify(metrics)).toContain('"003"');
});

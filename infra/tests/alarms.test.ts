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

const needed = [
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

test.each(stageNames)('%s has each alarm', (stage) => {
  expect(alarmsOf(stage).map(nameOf).sort()).toEqual([...needed].sort());
});

test.each(stageNames)('in %s each alarm, and its end, goes to the topic', (stage) => {
  for (const alarm of alarmsOf(stage)) {
    const topic = [{ Ref: expect.stringMatching(/^AlarmsTopic/) as unknown }];
    expect(alarm).toMatchObject({ AlarmActions: topic, OKActions: topic });
    expect(alarm).not.toHaveProperty('ActionsEnabled', false);
  }
});

test('CloudWatch and EventBridge may write to the topic, and use its key', () => {
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

test('the topic writes to everybody who is named', () => {
  const alarmEmails = ['one@example.org', 'two@example.org'];
  const subscriptions = Object.values(
    resources(templateOf('prod', { alarmEmails }), 'AWS::SNS::Subscription'),
  );
  const addresses = subscriptions.flatMap(({ Protocol, Endpoint }) =>
    Protocol === 'email' ? [Endpoint] : [],
  );
  expect(addresses).toEqual(alarmEmails);
});

test('a deployment that goes back is told of', () => {
  templateOf('prod').hasResourceProperties('AWS::Events::Rule', {
    EventPattern: Match.objectLike({
      source: ['aws.ecs'],
      detail: { eventName: ['SERVICE_DEPLOYMENT_FAILED'] },
    }),
    Targets: [Match.objectLike({ Arn: { Ref: Match.stringLikeRegexp('^AlarmsTopic') } })],
  });
});

test('each alarm says what it means, and the operations page what to do, of these and of no other', () => {
  const rows = [...operations.matchAll(/^\| `([\w-]+)` +\|/gm)].map(([, name]) => name);
  expect(rows.filter((name) => needed.includes(name ?? '')).sort()).toEqual([...needed].sort());
  for (const alarm of alarmsOf('prod')) {
    expect(alarm['AlarmDescription']).toMatch(new RegExp(`^[A-Z].*\\. What to do: .*${nameOf(alarm)}\\.$`));
  }
});

test('the same limits in dev as in prod, so that dev shows what prod would say', () => {
  const limits = (stage: 'dev' | 'prod') =>
    alarmsOf(stage).map((alarm) => [nameOf(alarm), alarm['Threshold']]);
  expect(limits('dev')).toEqual(limits('prod'));
});

test('where nothing is heard of the outbox or of the tasks, that is an alarm', () => {
  for (const name of ['outbox-age', 'missing-tasks']) {
    const alarm = alarmsOf('prod').find((each) => nameOf(each) === name);
    expect(alarm?.['TreatMissingData']).toBe('breaching');
  }
});

test('each node of Redis is looked at, however many there are', () => {
  const template = templateOf('prod', { redis: { replicas: 2 } });
  const memory = Object.values(resources(template, 'AWS::CloudWatch::Alarm')).find(
    (each) => nameOf(each) === 'redis-memory',
  );
  const metrics = memory?.['Metrics'] as { Expression?: string; MetricStat?: unknown }[];
  expect(metrics.filter(({ MetricStat }) => MetricStat !== undefined)).toHaveLength(3);
  expect(JSON.stringify(metrics)).toContain('"003"');
});

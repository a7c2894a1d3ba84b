import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { stageNames, type StageName } from '../settings/stage-settings.js';
import { resources, templateOf, theOnly } from './support/a-stack.js';

const operations = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
/** Without the alarms of a scaling policy, which have no names. */
const namedAlarms = (template: Template) =>
  Object.values(resources(template, 'AWS::CloudWatch::Alarm')).filter(
    (alarm) => alarm['AlarmName'] !== undefined,
  );
const alarmsOf = (stage: StageName) => namedAlarms(templateOf(stage));
const nameOf = (alarm: Record<string, unknown>) =>
  String(alarm['AlarmName']).replace(/^admin-service-\w+?-/, '');

const expectedAlarms = [
  ...[
    'failed-answers',
    'slow-calls',
    'slow-polls',
    'unhealthy-targets',
    'failing-slowly',
    'refused-tokens',
    'refused-requests',
    'vanished-traffic',
    'canary',
    'blocked-requests',
    'crashing-tasks',
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

const severityOf = (alarm: Record<string, unknown>) =>
  /^\[(\w+)\]/.exec(alarm['AlarmDescription'] as string)?.[1];
const topicOf = { page: /^AlarmsPages/, ticket: /^AlarmsTickets/ };
const composite = (stage: StageName) => theOnly(templateOf(stage), 'AWS::CloudWatch::CompositeAlarm');

test.each(stageNames)(
  '%s sends pages and tickets to their topics, when an alarm fires and when it clears',
  (stage) => {
    const rule = JSON.stringify(composite(stage)['AlarmRule']);
    for (const alarm of [...alarmsOf(stage), composite(stage)]) {
      const isPartOfUsersAreHurt = rule.includes(`Alarms${nameOf(alarm).replaceAll('-', '')}`);
      const topic = [
        {
          Ref: expect.stringMatching(topicOf[severityOf(alarm) as keyof typeof topicOf]) as unknown,
        },
      ];
      if (isPartOfUsersAreHurt) expect(alarm).not.toHaveProperty('AlarmActions');
      else expect(alarm).toMatchObject({ AlarmActions: topic, OKActions: topic });
      expect(alarm).not.toHaveProperty('ActionsEnabled', false);
    }
  },
);

test('what users notice pages once, through one composite alarm', () => {
  const rule = JSON.stringify(composite('prod')['AlarmRule']);
  const parts = ['failedanswers', 'slowcalls', 'slowpolls', 'refusedtokens', 'vanishedtraffic', 'canary'];
  for (const name of parts) expect(rule).toContain(`Alarms${name}`);
  expect(rule.match(/ALARM\(/g)).toHaveLength(parts.length);
});

test('refused tokens are counted in the log, because the load balancer does not count them', () => {
  templateOf('prod').hasResourceProperties('AWS::Logs::MetricFilter', {
    FilterPattern: '{ $.status = 401 }',
    MetricTransformations: [Match.objectLike({ MetricName: 'refused_tokens', MetricValue: '1' })],
  });
});

test('a slow percentile of few requests raises no alarm', () => {
  for (const name of ['slow-calls', 'slow-polls']) {
    const alarm = alarmsOf('prod').find((each) => nameOf(each) === name);
    expect(JSON.stringify(alarm?.['Metrics'])).toContain('IF(FILL(requests, 0) < 100, 0, value)');
  }
});

test('CloudWatch can use topics and key for alarms of this account only, EventBridge publishes with a role', () => {
  const template = templateOf('prod');
  const condition = {
    StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
    ArnLike: { 'aws:SourceArn': Match.anyValue() },
  };
  for (const topic of ['Pages', 'Tickets'])
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      Topics: [{ Ref: Match.stringLikeRegexp(`^Alarms${topic}`) }],
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Allow',
            Action: 'sns:Publish',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Condition: condition,
          }),
        ]),
      },
    });
  template.hasResourceProperties('AWS::KMS::Key', {
    KeyPolicy: {
      Statement: Match.arrayWith([
        Match.objectLike({
          Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
          Principal: { Service: 'cloudwatch.amazonaws.com' },
          Condition: condition,
        }),
      ]),
    },
  });
  const policies = [
    ...Object.values(resources(template, 'AWS::SNS::TopicPolicy')),
    ...Object.values(resources(template, 'AWS::KMS::Key')),
  ];
  expect(policies.filter((policy) => JSON.stringify(policy).includes('events.amazonaws.com'))).toEqual([]);
  for (const rule of Object.values(resources(template, 'AWS::Events::Rule')))
    for (const target of rule['Targets'] as Record<string, unknown>[])
      expect(target).toHaveProperty('RoleArn');
});

test('a rule may use the key of the topic that it publishes to', () => {
  const policies = Object.entries(resources(templateOf('prod'), 'AWS::IAM::Policy')).filter(([id]) =>
    id.includes('Publisher'),
  );
  expect(policies.length).toBeGreaterThan(1);
  for (const [, policy] of policies) {
    expect(JSON.stringify(policy)).toContain('sns:Publish');
    expect(JSON.stringify(policy)).toContain('kms:GenerateDataKey*');
  }
});

test('recipients are subscribed by e-mail, or by https as pagers want it', () => {
  const pageTo = ['one@example.org', 'https://events.pagerduty.com/integration/0/enqueue'];
  const template = templateOf('prod', { pageTo, ticketTo: ['two@example.org'] });
  const subscriptions = Object.values(resources(template, 'AWS::SNS::Subscription')).filter(
    ({ Protocol }) => Protocol !== 'sqs',
  );
  expect(subscriptions.map(({ Protocol, Endpoint }) => [Protocol, Endpoint]).sort()).toEqual([
    ['email', 'one@example.org'],
    ['email', 'two@example.org'],
    ['https', pageTo[1]],
  ]);
});

test('tasks that crash are reported, those that ECS stops are not', () => {
  templateOf('prod').hasResourceProperties('AWS::Events::Rule', {
    EventPattern: Match.objectLike({
      detail: Match.objectLike({ lastStatus: ['STOPPED'], stopCode: ['EssentialContainerExited'] }),
    }),
  });
});

test('a rolled back deployment notifies the topic', () => {
  templateOf('prod').hasResourceProperties('AWS::Events::Rule', {
    EventPattern: Match.objectLike({
      source: ['aws.ecs'],
      detail: { eventName: ['SERVICE_DEPLOYMENT_FAILED'] },
    }),
    Targets: [Match.objectLike({ Arn: { Ref: Match.stringLikeRegexp('^AlarmsTickets') } })],
  });
});

test('every alarm says what it means and has a row in the alarms table of the README', () => {
  const rows = [...operations.matchAll(/^\| `([\w-]+)` +\|/gm)].map(([, name]) => name);
  const documented = [...expectedAlarms, 'users-are-hurt'].sort();
  expect(rows.filter((name) => documented.includes(name ?? '')).sort()).toEqual(documented);
  for (const alarm of alarmsOf('prod')) {
    expect(alarm['AlarmDescription']).toMatch(
      new RegExp(`^\\[(page|ticket)\\] [A-Z].*\\. What to do: .*${nameOf(alarm)}\\.$`),
    );
  }
});

test('a stage without canary and firewall has no alarms of them', () => {
  const names = namedAlarms(templateOf('dev', { canary: undefined, firewall: { isEnabled: false } })).map(
    nameOf,
  );
  expect(names).not.toContain('canary');
  expect(names).not.toContain('blocked-requests');
});

test('dev and prod have the same thresholds', () => {
  const limits = (stage: StageName) => alarmsOf(stage).map((alarm) => [nameOf(alarm), alarm['Threshold']]);
  expect(limits('dev')).toEqual(limits('prod'));
});

test('missing data about the outbox, the tasks or the canary raises an alarm', () => {
  for (const name of ['outbox-age', 'missing-tasks', 'canary']) {
    const alarm = alarmsOf('prod').find((each) => nameOf(each) === name);
    expect(alarm?.['TreatMissingData']).toBe('breaching');
  }
});

test('Redis alarms cover every node', () => {
  const template = templateOf('prod', { redis: { replicasPerShard: 2 } });
  const memory = namedAlarms(template).find((each) => nameOf(each) === 'redis-memory');
  const metrics = memory?.['Metrics'] as { Expression?: string; MetricStat?: unknown }[];
  expect(metrics.filter(({ MetricStat }) => MetricStat !== undefined)).toHaveLength(3);
  expect(JSON.stringify(metrics)).toContain('"003"');
});

test('of a large cluster there is one alarm for every ten nodes, as many as an alarm takes', () => {
  const template = templateOf('cluster', { redis: { shards: 6 } });
  const memory = namedAlarms(template).filter((each) => nameOf(each).startsWith('redis-memory'));
  expect(memory.map(nameOf)).toEqual(['redis-memory-1', 'redis-memory-2']);
  expect(JSON.stringify(memory)).toContain('0006-002');
});

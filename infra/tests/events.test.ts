import { Match } from 'aws-cdk-lib/assertions';
import { eventTypes } from '../settings/stage-settings.js';
import { resources, templateOf, theOnly, type Properties } from './support/a-stack.js';

interface Statement {
  Action: string | string[];
  Effect: string;
  Resource: unknown;
}

const statementsOf = (policy: Properties) =>
  (policy['PolicyDocument'] as { Statement: Statement[] }).Statement;

function rolePolicies(name: string): { statements: Statement[]; role: Properties } {
  const template = templateOf('prod');
  const [id, role] =
    Object.entries(resources(template, 'AWS::IAM::Role')).find(([each]) => each.startsWith(name)) ?? [];
  if (id === undefined || role === undefined) throw new Error(`no role ${name}`);
  const statements = Object.values(resources(template, 'AWS::IAM::Policy'))
    .filter((policy) => JSON.stringify(policy['Roles']).includes(`"${id}"`))
    .flatMap(statementsOf);
  return { statements, role };
}

test('the bus has an archive', () => {
  const template = templateOf('prod');
  template.hasResourceProperties('AWS::Events::EventBus', { Name: 'application-events' });
  template.hasResourceProperties('AWS::Events::Archive', { RetentionDays: 30 });
});

test('every event type is routed from the bus to the topic, with a dead-letter queue', () => {
  templateOf('prod').hasResourceProperties('AWS::Events::Rule', {
    EventBusName: Match.anyValue(),
    EventPattern: { source: ['admin-service'], 'detail-type': [...eventTypes] },
    Targets: [
      Match.objectLike({
        Arn: { Ref: Match.stringLikeRegexp('^EventsTopic') },
        DeadLetterConfig: { Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^EventsUndelivered'), 'Arn'] } },
      }),
    ],
  });
  templateOf('prod').hasResourceProperties('AWS::SNS::Topic', { TopicName: 'journey-events' });
});

test('the queue receives start and end events as raw messages by default', () => {
  templateOf('prod').hasResourceProperties('AWS::SNS::Subscription', {
    Protocol: 'sqs',
    RawMessageDelivery: true,
    FilterPolicyScope: 'MessageBody',
    FilterPolicy: { 'detail-type': ['TrainerJourneyStarted', 'TrainerJourneyEnded'] },
  });
});

test('the queue receives the configured event types', () => {
  templateOf('prod', { notifiedEvents: ['TrainerNearby'] }).hasResourceProperties('AWS::SNS::Subscription', {
    FilterPolicy: { 'detail-type': ['TrainerNearby'] },
  });
});

test('events that the notification service fails to process go to a dead-letter queue', () => {
  templateOf('prod').hasResourceProperties('AWS::SQS::Queue', {
    QueueName: 'notification-service-queue',
    RedrivePolicy: {
      maxReceiveCount: 5,
      deadLetterTargetArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^EventsDeadLetters'), 'Arn'] },
    },
  });
});

test('a task may only put events on the bus', () => {
  const { statements, role } = rolePolicies('ServiceTaskTaskRole');
  expect(statements).toEqual([
    {
      Action: 'events:PutEvents',
      Effect: 'Allow',
      Resource: { 'Fn::GetAtt': [expect.stringMatching(/^EventsBus/), 'Arn'] },
    },
  ]);
  expect(role).not.toHaveProperty('ManagedPolicyArns');
  expect(role).not.toHaveProperty('Policies');
});

test('the execution role may only pull the image, read the three secrets and write the log', () => {
  const { statements, role } = rolePolicies('ServiceTaskExecutionRole');
  const actions = statements.flatMap(({ Action }) => Action).sort();
  expect(actions).toEqual([
    ...['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetAuthorizationToken'],
    ...['ecr:GetDownloadUrlForLayer', 'logs:CreateLogStream', 'logs:PutLogEvents'],
    ...['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue'],
  ]);
  expect(role).not.toHaveProperty('ManagedPolicyArns');
  const secrets = statements.find(({ Action }) => Action.includes('secretsmanager:GetSecretValue'))?.Resource;
  expect(secrets).toHaveLength(3);
});

test('only the registry login and the channels of ECS Exec have a wildcard resource', () => {
  const statements = Object.values(resources(templateOf('prod'), 'AWS::IAM::Policy')).flatMap(statementsOf);
  const actions = statements.flatMap(({ Action }) => Action);
  // CDK's grant of a key, which names the key.
  expect(actions.filter((action) => action.includes('*') && !action.startsWith('kms:'))).toEqual([]);
  const onAll = statements.filter(({ Resource }) => Resource === '*').flatMap(({ Action }) => Action);
  expect([...new Set(onAll)].filter((action) => !action.startsWith('ssmmessages:'))).toEqual([
    'ecr:GetAuthorizationToken',
  ]);
});

test('the stack has one bus, one archive and one key', () => {
  for (const type of ['AWS::Events::EventBus', 'AWS::Events::Archive', 'AWS::KMS::Key'])
    theOnly(templateOf('dev'), type);
});

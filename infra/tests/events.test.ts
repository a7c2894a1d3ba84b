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
    Object.entries(resources(template, 'AWS::IAM::Role')).find(([each]) => each.includes(name)) ?? [];
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

test('every event of the service goes from the bus to the topic, and what does not arrive is kept', () => {
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

test('the queue gets the starts and the ends, as EventBridge wrote them', () => {
  templateOf('prod').hasResourceProperties('AWS::SNS::Subscription', {
    Protocol: 'sqs',
    RawMessageDelivery: true,
    FilterPolicyScope: 'MessageBody',
    FilterPolicy: { 'detail-type': ['TrainerJourneyStarted', 'TrainerJourneyEnded'] },
  });
});

test('the queue gets other events where a setting says so', () => {
  templateOf('prod', { notifiedEvents: ['TrainerNearby'] }).hasResourceProperties('AWS::SNS::Subscription', {
    FilterPolicy: { 'detail-type': ['TrainerNearby'] },
  });
});

test('what the notification service can not handle goes to a queue of its own', () => {
  templateOf('prod').hasResourceProperties('AWS::SQS::Queue', {
    QueueName: 'notification-service-queue',
    RedrivePolicy: {
      maxReceiveCount: 5,
      deadLetterTargetArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^EventsDeadLetters'), 'Arn'] },
    },
  });
});

test('a task may put events on that bus, and nothing else', () => {
  const { statements, role } = rolePolicies('TaskRole');
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

test('what starts a task may fetch its image, read its three secrets and write its log, and nothing else', () => {
  const { statements, role } = rolePolicies('ExecutionRole');
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

test('no policy allows every action, and every resource only to log in to the registry', () => {
  const statements = Object.values(resources(templateOf('prod'), 'AWS::IAM::Policy')).flatMap(statementsOf);
  const actions = statements.flatMap(({ Action }) => Action);
  expect(actions.filter((action) => action.includes('*'))).toEqual([]);
  const onAll = statements.filter(({ Resource }) => Resource === '*').flatMap(({ Action }) => Action);
  expect(onAll).toEqual(['ecr:GetAuthorizationToken']);
});

test('there is one bus, one archive and one key', () => {
  for (const type of ['AWS::Events::EventBus', 'AWS::Events::Archive', 'AWS::KMS::Key'])
    theOnly(templateOf('dev'), type);
});

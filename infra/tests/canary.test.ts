import { Match } from 'aws-cdk-lib/assertions';
import { readCanaryConfig } from '../../src/config/canary.js';
import { canary, resources, templateOf, theContainer } from './support/a-stack.js';

test('the canary runs every minute in the cluster of the service, without a public address', () => {
  templateOf('prod').hasResourceProperties('AWS::Events::Rule', {
    ScheduleExpression: 'rate(1 minute)',
    Targets: [
      Match.objectLike({
        EcsParameters: Match.objectLike({
          LaunchType: 'FARGATE',
          NetworkConfiguration: {
            AwsVpcConfiguration: Match.objectLike({ AssignPublicIp: 'DISABLED' }),
          },
        }),
      }),
    ],
  });
});

test('the program accepts its settings: the public address, the session, and tokens from a secret', () => {
  const { Environment, Secrets, Command, ReadonlyRootFilesystem } = theContainer(
    templateOf('prod'),
    'canary',
  );
  const plain = Environment.map(({ Name, Value }) => [Name, Value] as const);
  const secret = Secrets.map(({ Name }) => [Name, 'token'] as const);
  const settings = Object.fromEntries([...plain, ...secret]) as Record<string, string>;
  expect(readCanaryConfig(settings)).toEqual({
    baseUrl: 'https://journeys.example.org',
    sessionId: canary.sessionId,
    trainerToken: 'token',
    studentToken: 'token',
  });
  expect(Secrets.map(({ ValueFrom }) => ValueFrom)).toEqual(
    ['trainer', 'student'].map((field) => `${canary.tokensSecretArn}:${field}::`),
  );
  expect([Command, ReadonlyRootFilesystem]).toEqual([['node', 'dist/canary.js'], true]);
});

test('the canary reaches HTTPS alone, neither Redis nor Postgres', () => {
  const groups = Object.values(resources(templateOf('prod'), 'AWS::EC2::SecurityGroup'));
  const own = groups.find(({ GroupDescription }) => GroupDescription === 'admin-service canary');
  expect(own?.['SecurityGroupEgress']).toMatchObject([{ FromPort: 443, ToPort: 443 }]);
  expect(own?.['SecurityGroupEgress']).toHaveLength(1);
});

test('a stage without a canary has none', () => {
  expect(() => theContainer(templateOf('prod', { canary: undefined }), 'canary')).toThrow('no task');
});

import { Match } from 'aws-cdk-lib/assertions';
import { stageNames } from '../settings/stage-settings.js';
import { resources, templateOf, theContainer, theOnly, type Properties } from './support/a-stack.js';

interface Rule extends Properties {
  CidrIp?: string;
  CidrIpv6?: string;
  FromPort?: number;
  ToPort?: number;
  SourceSecurityGroupId?: unknown;
}

/** Rules inside of groups and beside them. */
function ingressRules(stage: 'dev' | 'prod'): Rule[] {
  const template = templateOf(stage);
  const inside = Object.values(resources(template, 'AWS::EC2::SecurityGroup')).flatMap(
    (group) => (group['SecurityGroupIngress'] ?? []) as Rule[],
  );
  return [...inside, ...(Object.values(resources(template, 'AWS::EC2::SecurityGroupIngress')) as Rule[])];
}

test.each(stageNames)('in %s only 443, and 80 for the redirect, are open to the world', (stage) => {
  const open = ingressRules(stage).filter(
    ({ CidrIp, CidrIpv6 }) => CidrIp !== undefined || CidrIpv6 !== undefined,
  );
  expect(open.map(({ FromPort, ToPort }) => [FromPort, ToPort]).sort()).toEqual([
    [443, 443],
    [80, 80],
  ]);
});

test('within, each port is open to the one group that needs it', () => {
  const within = ingressRules('prod').filter(
    ({ SourceSecurityGroupId }) => SourceSecurityGroupId !== undefined,
  );
  expect(within.map(({ FromPort, ToPort }) => [FromPort, ToPort]).sort()).toEqual([
    [3010, 3010],
    [5432, 5432],
    [6380, 6380],
  ]);
});

test('the port of the metrics is open to nobody', () => {
  const template = templateOf('prod');
  expect(theContainer(template)['PortMappings']).toEqual([{ ContainerPort: 3010, Protocol: 'tcp' }]);
  const rules = JSON.stringify([
    resources(template, 'AWS::EC2::SecurityGroup'),
    resources(template, 'AWS::EC2::SecurityGroupIngress'),
    resources(template, 'AWS::EC2::SecurityGroupEgress'),
    resources(template, 'AWS::ElasticLoadBalancingV2::TargetGroup'),
  ]);
  expect(rules).not.toContain('9464');
});

test('tasks reach the world by TLS alone, and Redis reaches nothing', () => {
  const groups = Object.entries(resources(templateOf('prod'), 'AWS::EC2::SecurityGroup'));
  const egressOf = (name: string) =>
    (groups.find(([id]) => id.startsWith(name))?.[1]['SecurityGroupEgress'] ?? []) as Rule[];
  expect(egressOf('Service')).toEqual([
    expect.objectContaining({ CidrIp: '0.0.0.0/0', FromPort: 443, ToPort: 443 }),
  ]);
  expect(egressOf('Redis')).toEqual([expect.objectContaining({ CidrIp: '255.255.255.255/32' })]);
});

test('port 80 does nothing but send to 443', () => {
  templateOf('prod').hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
    Port: 80,
    DefaultActions: [
      { Type: 'redirect', RedirectConfig: { Port: '443', Protocol: 'HTTPS', StatusCode: 'HTTP_301' } },
    ],
  });
});

test('HTTPS has the given certificate, no TLS before 1.2, and only answers for the one name', () => {
  const template = templateOf('prod');
  template.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
    Port: 443,
    Protocol: 'HTTPS',
    Certificates: [{ CertificateArn: Match.stringLikeRegexp('certificate/') }],
    SslPolicy: Match.stringLikeRegexp('^ELBSecurityPolicy-TLS13-1-2-Res'),
    DefaultActions: [Match.objectLike({ Type: 'fixed-response' })],
  });
  const rules = Object.values(resources(template, 'AWS::ElasticLoadBalancingV2::ListenerRule'));
  expect(rules).toHaveLength(2);
  for (const rule of rules) {
    expect(JSON.stringify(rule['Conditions'])).toContain('journeys.example.org');
  }
});

test('tasks and Redis are in two zones, without public addresses', () => {
  const template = templateOf('prod');
  template.hasResourceProperties('AWS::ECS::Service', {
    NetworkConfiguration: {
      AwsvpcConfiguration: { AssignPublicIp: 'DISABLED', Subnets: [Match.anyValue(), Match.anyValue()] },
    },
  });
  expect(theOnly(template, 'AWS::ElastiCache::SubnetGroup')['SubnetIds']).toHaveLength(2);
  const subnets = Object.values(resources(template, 'AWS::EC2::Subnet'));
  expect(subnets.filter((subnet) => subnet['MapPublicIpOnLaunch'] === true)).toEqual([]);
  const zones = new Set(subnets.map((subnet) => JSON.stringify(subnet['AvailabilityZone'])));
  expect(zones.size).toBe(2);
});

test('each zone of prod has a way out of its own; dev shares one', () => {
  templateOf('prod').resourceCountIs('AWS::EC2::NatGateway', 2);
  templateOf('dev').resourceCountIs('AWS::EC2::NatGateway', 1);
});

test("there is a way to the database's network and back, and the rules for it wait for the connection", () => {
  const template = templateOf('prod');
  const over = Object.values(resources(template, 'AWS::EC2::Route')).filter(
    (route) => route['VpcPeeringConnectionId'] !== undefined,
  );
  expect(over.map((route) => route['DestinationCidrBlock']).sort()).toEqual(
    ['10.0.0.0/16', '10.0.0.0/16', '10.42.0.0/16', '10.42.0.0/16'].sort(),
  );
  for (const type of ['AWS::EC2::SecurityGroupIngress', 'AWS::EC2::SecurityGroupEgress']) {
    template.hasResource(type, {
      Properties: { FromPort: 5432, ToPort: 5432 },
      DependsOn: [Match.stringLikeRegexp('Peering')],
    });
  }
});

test('with a hosted zone the name is entered there', () => {
  templateOf('prod', { hostedZoneId: 'Z0123456789ABC' }).hasResourceProperties('AWS::Route53::RecordSet', {
    Name: 'journeys.example.org',
    Type: 'A',
  });
  templateOf('prod').resourceCountIs('AWS::Route53::RecordSet', 0);
});

test('who came in, and who was refused, is logged', () => {
  const template = templateOf('prod');
  template.hasResourceProperties('AWS::EC2::FlowLog', { TrafficType: 'REJECT' });
  template.hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', {
    LoadBalancerAttributes: Match.arrayWith([{ Key: 'access_logs.s3.enabled', Value: 'true' }]),
  });
});

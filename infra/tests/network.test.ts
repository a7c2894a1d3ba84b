import { Match } from 'aws-cdk-lib/assertions';
import { stageNames, type StageName } from '../settings/stage-settings.js';
import { resources, templateOf, theContainer, theOnly, type Properties } from './support/a-stack.js';

interface Rule extends Properties {
  CidrIp?: string;
  CidrIpv6?: string;
  FromPort?: number;
  ToPort?: number;
  SourceSecurityGroupId?: unknown;
}

/** Inline rules and separate rule resources. */
function ingressRules(stage: StageName): Rule[] {
  const template = templateOf(stage);
  const inline = Object.values(resources(template, 'AWS::EC2::SecurityGroup')).flatMap(
    (group) => (group['SecurityGroupIngress'] ?? []) as Rule[],
  );
  return [...inline, ...(Object.values(resources(template, 'AWS::EC2::SecurityGroupIngress')) as Rule[])];
}

test.each(stageNames)('%s exposes only ports 443 and 80 to the internet', (stage) => {
  const open = ingressRules(stage).filter(
    ({ CidrIp, CidrIpv6 }) => CidrIp !== undefined || CidrIpv6 !== undefined,
  );
  expect(open.map(({ FromPort, ToPort }) => [FromPort, ToPort]).sort()).toEqual([
    [443, 443],
    [80, 80],
  ]);
});

test('each internal port is open to a single security group', () => {
  const internal = ingressRules('prod').filter(
    ({ SourceSecurityGroupId }) => SourceSecurityGroupId !== undefined,
  );
  expect(internal.map(({ FromPort, ToPort }) => [FromPort, ToPort]).sort()).toEqual([
    [3010, 3010],
    [5432, 5432],
    [6380, 6380],
  ]);
});

test('the metrics port is not reachable', () => {
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

test('tasks can reach the internet only over TLS, and Redis not at all', () => {
  const groups = Object.entries(resources(templateOf('prod'), 'AWS::EC2::SecurityGroup'));
  const egressOf = (name: string) =>
    (groups.find(([id]) => id.startsWith(name))?.[1]['SecurityGroupEgress'] ?? []) as Rule[];
  expect(egressOf('Service')).toEqual([
    expect.objectContaining({ CidrIp: '0.0.0.0/0', FromPort: 443, ToPort: 443 }),
  ]);
  expect(egressOf('Redis')).toEqual([expect.objectContaining({ CidrIp: '255.255.255.255/32' })]);
});

test('port 80 only redirects to 443', () => {
  templateOf('prod').hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
    Port: 80,
    DefaultActions: [
      { Type: 'redirect', RedirectConfig: { Port: '443', Protocol: 'HTTPS', StatusCode: 'HTTP_301' } },
    ],
  });
});

test('HTTPS uses the given certificate and at least TLS 1.2, and serves only the configured host name', () => {
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

test('tasks and Redis are in two zones and have no public addresses', () => {
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

test('prod has a NAT gateway per zone, dev a shared one', () => {
  templateOf('prod').resourceCountIs('AWS::EC2::NatGateway', 2);
  templateOf('dev').resourceCountIs('AWS::EC2::NatGateway', 1);
});

test("the database's VPC is peered with routes both ways, and its security group rules depend on the peering", () => {
  const template = templateOf('prod');
  const routes = Object.values(resources(template, 'AWS::EC2::Route')).filter(
    (route) => route['VpcPeeringConnectionId'] !== undefined,
  );
  expect(routes.map((route) => route['DestinationCidrBlock']).sort()).toEqual(
    ['10.0.0.0/16', '10.0.0.0/16', '10.42.0.0/16', '10.42.0.0/16'].sort(),
  );
  for (const type of ['AWS::EC2::SecurityGroupIngress', 'AWS::EC2::SecurityGroupEgress']) {
    template.hasResource(type, {
      Properties: { FromPort: 5432, ToPort: 5432 },
      DependsOn: [Match.stringLikeRegexp('Peering')],
    });
  }
});

test('a hosted zone gets a DNS record for the domain', () => {
  templateOf('prod', { hostedZoneId: 'Z0123456789ABC' }).hasResourceProperties('AWS::Route53::RecordSet', {
    Name: 'journeys.example.org',
    Type: 'A',
  });
  templateOf('prod').resourceCountIs('AWS::Route53::RecordSet', 0);
});

test('requests and rejected connections are logged', () => {
  const template = templateOf('prod');
  template.hasResourceProperties('AWS::EC2::FlowLog', { TrafficType: 'REJECT' });
  template.hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', {
    LoadBalancerAttributes: Match.arrayWith([{ Key: 'access_logs.s3.enabled', Value: 'true' }]),
  });
});

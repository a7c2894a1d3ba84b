import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Match } from 'aws-cdk-lib/assertions';
import { HEALTH_RULE } from '../../tests/faults/health-rule.js';
import { stageNames } from '../settings/stage-settings.js';
import { LONGEST_WAIT } from '../stack/service-facts.js';
import { anApp, resources, taskOf, templateOf, theContainer, theOnly, theTask } from './support/a-stack.js';

const sourceOf = (path: string) => readFileSync(join(import.meta.dirname, '../../src', path), 'utf8');

/** A constant in milliseconds, read from the service's code. */
function msInCode(path: string, name: string): number {
  const [, digits] = new RegExp(`${name} = ([\\d_]+)`).exec(sourceOf(path)) ?? [];
  if (digits === undefined) throw new Error(`${path} has no ${name}`);
  return Number(digits.replaceAll('_', ''));
}

function attribute(type: 'LoadBalancer' | 'TargetGroup', key: string): number[] {
  return Object.values(resources(templateOf('prod'), `AWS::ElasticLoadBalancingV2::${type}`)).map(
    (properties) => {
      const attributes = properties[`${type}Attributes`] as { Key: string; Value: string }[];
      return Number(attributes.find((each) => each.Key === key)?.Value);
    },
  );
}

const variable = (name: string) =>
  Number(theContainer(templateOf('prod')).Environment.find((each) => each.Name === name)?.Value);

test('the longest wait is shorter than the idle timeout, and that is shorter than keep-alive', () => {
  const [idleSeconds] = attribute('LoadBalancer', 'idle_timeout.timeout_seconds');
  expect(idleSeconds).toBe(60);
  expect(msInCode('http/server.ts', 'KEEP_ALIVE_MS')).toBeGreaterThan(60_000);
  const [, longestWait] = /MAX_WAIT_SECONDS = (\d+)/.exec(sourceOf('http/preferences.ts')) ?? [];
  expect(Number(longestWait)).toBe(LONGEST_WAIT.toSeconds());
});

test('a stop fits into its timeouts: listener delay, longest wait, deregistration, own limit, ECS kill', () => {
  const stopSeconds = theContainer(templateOf('prod'))['StopTimeout'] as number;
  expect(stopSeconds).toBe(30);
  for (const delaySeconds of attribute('TargetGroup', 'deregistration_delay.timeout_seconds')) {
    expect(delaySeconds).toBeGreaterThan(25);
    expect(delaySeconds).toBeLessThan(stopSeconds);
  }
  const cutMs = msInCode('main.ts', 'STOP_TIMEOUT_MS');
  expect(variable('SHUTDOWN_DELAY_MS')).toBeLessThan(cutMs);
  expect(cutMs).toBeLessThan(stopSeconds * 1_000);
});

test('live polls have their own target group with the same tasks, and both check /health/live', () => {
  const template = templateOf('prod');
  const groups = Object.values(resources(template, 'AWS::ElasticLoadBalancingV2::TargetGroup'));
  expect(groups).toHaveLength(2);
  for (const group of groups)
    expect(group).toMatchObject({ HealthCheckPath: '/health/live', Port: 3010, TargetType: 'ip' });
  expect(theOnly(template, 'AWS::ECS::Service')['LoadBalancers']).toHaveLength(2);
  template.hasResourceProperties('AWS::ElasticLoadBalancingV2::ListenerRule', {
    Conditions: Match.arrayWith([
      Match.objectLike({ PathPatternConfig: { Values: ['/api/v1/admin/location-tracking/journey/live'] } }),
    ]),
  });
  expect(sourceOf('http/health.ts')).toContain("'/health/live'");
  expect(sourceOf('http/routes.ts')).toContain("'/location-tracking/journey/live'");
});

test.each(stageNames)('%s rolls back a failed deployment and never runs fewer tasks meanwhile', (stage) => {
  templateOf(stage).hasResourceProperties('AWS::ECS::Service', {
    DeploymentConfiguration: {
      DeploymentCircuitBreaker: { Enable: true, Rollback: true },
      Alarms: { AlarmNames: [`admin-service-${stage}-failed-answers`], Enable: true, Rollback: true },
      MinimumHealthyPercent: 100,
      MaximumPercent: 200,
    },
  });
});

test('a task is ARM64 with one core and 2 GB', () => {
  expect(theTask(templateOf('prod'))).toMatchObject({
    Cpu: '1024',
    Memory: '2048',
    RuntimePlatform: { CpuArchitecture: 'ARM64', OperatingSystemFamily: 'LINUX' },
  });
});

test('a container has a read-only file system, enough open files and no health check of its own', () => {
  const container = theContainer(templateOf('prod'));
  expect(container).toMatchObject({
    ReadonlyRootFilesystem: true,
    Ulimits: [{ Name: 'nofile', SoftLimit: 65_536, HardLimit: 65_536 }],
  });
  expect(container).not.toHaveProperty('HealthCheck');
  expect(container).not.toHaveProperty('Privileged');
});

test('blocked log delivery does not block the service', () => {
  expect(theContainer(templateOf('prod'))['LogConfiguration']).toMatchObject({
    Options: { mode: 'non-blocking' },
  });
});

test.each([
  ['dev', 14],
  ['prod', 90],
] as const)('every log group of %s has a retention of %d days', (stage, days) => {
  const groups = Object.values(resources(templateOf(stage), 'AWS::Logs::LogGroup'));
  expect(groups.length).toBeGreaterThan(0);
  for (const group of groups) expect(group['RetentionInDays']).toBe(days);
});

test('tasks scale by CPU and by how far phones are slowed down, from at least two', () => {
  const template = templateOf('prod', { tasks: { min: 3, max: 9 } });
  expect(theOnly(template, 'AWS::ECS::Service')).not.toHaveProperty('DesiredCount');
  expect(theOnly(template, 'AWS::ApplicationAutoScaling::ScalableTarget')).toMatchObject({
    MinCapacity: 3,
    MaxCapacity: 9,
  });
  expect(theOnly(templateOf('dev'), 'AWS::ApplicationAutoScaling::ScalableTarget')['MinCapacity']).toBe(2);
  const policies = Object.values(resources(template, 'AWS::ApplicationAutoScaling::ScalingPolicy'));
  expect(policies.map(({ PolicyType }) => PolicyType).sort()).toEqual([
    'StepScaling',
    'TargetTrackingScaling',
  ]);
  template.hasResourceProperties('AWS::ApplicationAutoScaling::ScalingPolicy', {
    TargetTrackingScalingPolicyConfiguration: { TargetValue: 60 },
  });
  template.hasResourceProperties('AWS::ApplicationAutoScaling::ScalingPolicy', {
    StepScalingPolicyConfiguration: {
      StepAdjustments: [
        Match.objectLike({ ScalingAdjustment: 25 }),
        Match.objectLike({ ScalingAdjustment: 50 }),
        Match.objectLike({ ScalingAdjustment: 100 }),
      ],
    },
  });
});

test('a task that answers after seconds stays, one that hangs is replaced within a minute, by the rule that herds are tested with', () => {
  for (const group of Object.values(
    resources(templateOf('prod'), 'AWS::ElasticLoadBalancingV2::TargetGroup'),
  )) {
    const interval = group['HealthCheckIntervalSeconds'] as number;
    const timeout = group['HealthCheckTimeoutSeconds'] as number;
    const failures = group['UnhealthyThresholdCount'] as number;
    expect({ intervalSeconds: interval, timeoutSeconds: timeout, failures }).toEqual(HEALTH_RULE);
    expect(failures * interval + timeout).toBeLessThanOrEqual(60);
  }
});

test('the task definition before stays active, so that the service can return to it', () => {
  const tasks = Object.entries(templateOf('prod').findResources('AWS::ECS::TaskDefinition'));
  const [, service] = tasks.find(([id]) => id.startsWith('ServiceTask')) ?? [];
  expect(service).toMatchObject({ UpdateReplacePolicy: 'Retain' });
});

test('operators have a task of their own for commands and shells, with the settings of the service', () => {
  const template = templateOf('prod');
  const [service, operator] = [theContainer(template), theContainer(template, 'operator')];
  expect(operator['Image']).toEqual(service['Image']);
  expect(operator.Secrets).toEqual(service.Secrets);
  expect(operator).not.toHaveProperty('ReadonlyRootFilesystem', true);
  const serviceOnly = ['PORT', 'MANAGEMENT_PORT', 'TRUST_PROXY', 'SHUTDOWN_DELAY_MS', 'CORS_ORIGINS'];
  expect(operator.Environment).toEqual(
    service.Environment.filter(({ Name }) => ![...serviceOnly, 'EMBEDDED_METRICS_NAMESPACE'].includes(Name)),
  );
  expect(theOnly(template, 'AWS::ECS::Service')).not.toHaveProperty('EnableExecuteCommand', true);
  expect(taskOf(template, 'operator')['TaskRoleArn']).not.toEqual(theTask(template)['TaskRoleArn']);
});

test('image and container are labelled with the commit', () => {
  const label = theContainer(templateOf('prod'))['DockerLabels'];
  expect(label).toEqual({ 'org.opencontainers.image.revision': 'v1' });
  const dockerfile = readFileSync(join(import.meta.dirname, '../../Dockerfile'), 'utf8');
  for (const name of ['VERSION', 'REVISION', 'CREATED']) expect(dockerfile).toContain(`ARG ${name}=`);
});

test('the image is built from the checkout for ARM64, or taken from the registry if a tag is configured', () => {
  const assembly = anApp('prod', { image: undefined }).synth();
  const manifest = JSON.parse(
    readFileSync(join(assembly.directory, 'admin-service-prod.assets.json'), 'utf8'),
  ) as {
    dockerImages: Record<
      string,
      { source: { platform: string; directory: string; dockerBuildArgs: Record<string, string> } }
    >;
  };
  const [built, ...others] = Object.values(manifest.dockerImages);
  expect(others).toEqual([]);
  expect(built?.source.platform).toBe('linux/arm64');
  expect(built?.source.dockerBuildArgs).toEqual({
    VERSION: '1.0.0',
    REVISION: expect.stringMatching(/^[0-9a-f]{40}(-changed)?$|^unknown$/) as unknown,
    CREATED: expect.any(String) as unknown,
  });
  const staged = (path: string) =>
    readFileSync(join(assembly.directory, built?.source.directory ?? '', path));
  expect(staged('Dockerfile').length).toBeGreaterThan(0);
  expect(() => staged('infra/package.json')).toThrow('ENOENT');
  expect(JSON.stringify(theContainer(templateOf('prod'))['Image'])).toMatch(/admin-service:v1"/);
});

test('every name that the README uses in commands is a stack output', () => {
  const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
  const names = [...readme.matchAll(/\$([A-Z]\w+)/g)].map(([, name]) => name ?? '');
  expect(names.length).toBeGreaterThan(5);
  const outputs = Object.keys(templateOf('prod').findOutputs('*'));
  expect(outputs).toEqual(
    expect.arrayContaining([
      ...names,
      'Url',
      'LoadBalancerName',
      'PageTopic',
      'TicketTopic',
      'Dashboard',
      'LogGroup',
    ]),
  );
});

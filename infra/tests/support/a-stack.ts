import { App, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Stages, type StageName, type StageSettings } from '../../settings/stage-settings.js';
import { addStacks, FEATURE_FLAGS } from '../../stack/app-stacks.js';

/** The required settings, with placeholder values. */
export const required = {
  domain: 'journeys.example.org',
  certificateArn: 'arn:aws:acm:us-east-1:000000000000:certificate/00000000-0000-0000-0000-000000000000',
  database: {
    secretArn: 'arn:aws:secretsmanager:us-east-1:000000000000:secret:platform/reader-abcdef',
    securityGroupId: 'sg-0123456789abcdef0',
    vpcId: 'vpc-0123456789abcdef0',
    vpcCidr: '10.0.0.0/16',
    routeTableIds: ['rtb-0123456789abcdef0', 'rtb-0123456789abcdef1'],
  },
};

/** Required in prod. */
export const pageTo = ['on-call@example.org'];

export const canary = {
  sessionId: '0f8fad5b-d9cb-469f-a165-70867728950e',
  tokensSecretArn: 'arn:aws:secretsmanager:us-east-1:000000000000:secret:admin-service/canary-abcdef',
};

/** An existing image, because staging the checkout for a build is slow; one test does that. */
const image = { repository: 'admin-service', tag: 'v1' };

export function settingsOf(stage: StageName, changes: Record<string, unknown> = {}): StageSettings {
  const settings = Stages.parse({
    [stage]: { ...required, pageTo, image, canary, firewall: { isEnabled: true }, ...changes },
  })[stage];
  if (settings === undefined) throw new Error(`no stage ${stage}`);
  return settings;
}

/** Without the slow validation against CloudFormation's schema; findings.test.ts has it. */
export const anEmptyApp = () => new App({ context: FEATURE_FLAGS, builtinCloudFormationValidation: false });

export function anApp(stage: StageName, changes: Record<string, unknown> = {}): App {
  const app = anEmptyApp();
  aStack(app, stage, changes);
  return app;
}

export function aStack(app: App, stage: StageName, changes: Record<string, unknown> = {}): Stack {
  const [stack] = addStacks(app, { [stage]: settingsOf(stage, changes) });
  if (stack === undefined) throw new Error(`no stack of ${stage}`);
  return stack;
}

const templates = new Map<string, Template>();

export function templateOf(stage: StageName, changes: Record<string, unknown> = {}): Template {
  const key = JSON.stringify([stage, changes], (_name, value: unknown) => value ?? null);
  const template = templates.get(key) ?? Template.fromStack(aStack(anEmptyApp(), stage, changes));
  templates.set(key, template);
  return template;
}

export type Properties = Record<string, unknown>;

/** The properties of all resources of a type, by logical id. */
export function resources(template: Template, type: string): Record<string, Properties> {
  return Object.fromEntries(
    Object.entries(template.findResources(type)).map(([id, resource]) => [
      id,
      (resource as { Properties?: Properties }).Properties ?? {},
    ]),
  );
}

/** The properties of the only resource of a type. */
export function theOnly(template: Template, type: string): Properties {
  const [only, ...more] = Object.values(resources(template, type));
  if (only === undefined || more.length > 0) throw new Error(`expected exactly one ${type}`);
  return only;
}

export interface Container {
  Environment: { Name: string; Value: unknown }[];
  Secrets: { Name: string; ValueFrom: unknown }[];
  [property: string]: unknown;
}

/** The service's task definition. */
export const theTask = (template: Template) => taskOf(template, 'service');

/** The task definition whose only container has this name. */
export function taskOf(template: Template, name: string): Properties {
  const tasks = Object.values(resources(template, 'AWS::ECS::TaskDefinition'));
  const task = tasks.find((each) => containersOf(each).some((container) => container['Name'] === name));
  if (task === undefined) throw new Error(`no task with the container ${name}`);
  return task;
}

export function theContainer(template: Template, name = 'service'): Container {
  const [container, ...more] = containersOf(taskOf(template, name));
  if (container === undefined || more.length > 0) throw new Error('expected exactly one container');
  return container;
}

const containersOf = (task: Properties) => task['ContainerDefinitions'] as Container[];

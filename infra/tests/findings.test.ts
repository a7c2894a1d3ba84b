import { App, Validations } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { stageNames } from '../settings/stage-settings.js';
import { FEATURE_FLAGS } from '../stack/app-stacks.js';
import { anApp, anEmptyApp, aStack } from './support/a-stack.js';

const violations = (app: App) => new AwsSolutionsChecks(app).validateScope(app).violations;

test.each(stageNames)('%s has no unexplained finding of the AWS Solutions rules', (stage) => {
  expect(violations(anApp(stage))).toEqual([]);
});

test('neither has a stage with a key set, a hosted zone and an image built from the checkout', () => {
  const tokens = { jwksUrl: 'https://auth.example.org/jwks.json' };
  expect(violations(anApp('prod', { tokens, hostedZoneId: 'Z0123456789ABC', image: undefined }))).toEqual([]);
});

test("both templates are valid by CloudFormation's schema", () => {
  const app = new App({ context: FEATURE_FLAGS });
  for (const stage of stageNames)
    aStack(app, stage, { hostedZoneId: 'Z0123456789ABC', tokens: { rotating: true } });
  expect(() => app.synth()).not.toThrow();
});

test('an unexplained finding fails the synth', () => {
  const app = anEmptyApp();
  new Bucket(aStack(app, 'prod'), 'Unexplained');
  expect(violations(app).map(({ ruleName }) => ruleName)).toContain('AwsSolutions-S1');
  expect(() => app.synth()).toThrow();
});

test('every exception is explained in a sentence', () => {
  const reasons = anApp('prod')
    .node.findAll()
    .flatMap((construct) => construct.node.metadata)
    .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
    .flatMap(({ data }) => Object.entries(data as Record<string, string>));
  expect(reasons.length).toBeGreaterThan(5);
  for (const [, reason] of reasons) expect(reason).toMatch(/^[A-Z].{30,}\.?$/);
});

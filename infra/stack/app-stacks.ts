import { Tags, Validations, type App } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { StagesToBuild } from '../settings/read-stages.js';
import { AdminServiceStack } from './admin-service-stack.js';

/** CDK feature flags for new projects. */
export const FEATURE_FLAGS = {
  '@aws-cdk/aws-iam:minimizePolicies': true,
  '@aws-cdk/core:checkSecretUsage': true,
  // Makes template errors fail the synth instead of only warning.
  '@aws-cdk/core:validateAgainstDefaultRules': true,
  '@aws-cdk/aws-ecs:arnFormatIncludesClusterName': true,
  '@aws-cdk/aws-ecs:removeDefaultDeploymentAlarm': true,
  '@aws-cdk/aws-sns-subscriptions:restrictSqsDescryption': true,
};

/** Adds one stack per stage. An unexplained cdk-nag finding fails the synth. */
export function addStacks(app: App, stages: StagesToBuild): AdminServiceStack[] {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return Object.entries(stages).map(([stage, settings]) => {
    const stack = new AdminServiceStack(app, `admin-service-${stage}`, settings);
    Tags.of(stack).add('service', 'admin-service');
    Tags.of(stack).add('stage', stage);
    return stack;
  });
}

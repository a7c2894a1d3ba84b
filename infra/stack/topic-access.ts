import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { explain } from './explained-findings.js';

/** Allows CloudWatch the actions on behalf of this account's alarms only. EventBridge's rules publish with a role instead. */
export function alarmsOfThisAccount(scope: Construct, actions: string[], resource: string): PolicyStatement {
  const stack = Stack.of(scope);
  const alarms = stack.formatArn({
    service: 'cloudwatch',
    resource: 'alarm',
    resourceName: '*',
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  return new PolicyStatement({
    principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
    actions,
    resources: [resource],
    conditions: {
      StringEquals: { 'aws:SourceAccount': stack.account },
      ArnLike: { 'aws:SourceArn': alarms },
    },
  });
}

/** The role with which EventBridge rules publish to topics. */
export function rulePublisher(scope: Construct): Role {
  const role = new Role(scope, 'Publisher', { assumedBy: new ServicePrincipal('events.amazonaws.com') });
  explain([role], {
    'AwsSolutions-IAM5[Action::kms:GenerateDataKey*]':
      'CDK grants the use of the topic key, and of no other, with this action.',
  });
  return role;
}

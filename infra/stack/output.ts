import { CfnOutput } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** What an operator asks the stack for, by this very name. */
export function output(scope: Construct, name: string, value: string): void {
  // A construct of its own name: the scope may have a child called `name`, such as the cluster.
  new CfnOutput(scope, `${name}Output`, { value }).overrideLogicalId(name);
}

import { CfnOutput } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** What an operator asks the stack for, by this very name. */
export function output(scope: Construct, name: string, value: string): void {
  new CfnOutput(scope, name, { value }).overrideLogicalId(name);
}

import { CfnOutput } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** Adds a stack output with exactly this name, for operators. */
export function output(scope: Construct, name: string, value: string): void {
  // Suffixed, because the scope may already have a child called `name`.
  new CfnOutput(scope, `${name}Output`, { value }).overrideLogicalId(name);
}

import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Acknowledges cdk-nag findings on these constructs, by rule id, with the reason. */
export function explain(constructs: IConstruct[], reasons: Record<string, string>): void {
  for (const construct of constructs) {
    for (const [id, reason] of Object.entries(reasons)) Validations.of(construct).acknowledge({ id, reason });
  }
}

import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Says of a rule of cdk-nag's that these constructs break why they do. */
export function explain(constructs: IConstruct[], reasons: Record<string, string>): void {
  for (const construct of constructs) {
    for (const [id, reason] of Object.entries(reasons)) Validations.of(construct).acknowledge({ id, reason });
  }
}

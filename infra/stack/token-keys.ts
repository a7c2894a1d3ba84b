import { RemovalPolicy } from 'aws-cdk-lib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { StageSettings } from '../settings/stage-settings.js';
import { output } from './output.js';
import { explain } from './explained-findings.js';

/** How the service verifies tokens: the URL of a key set, or a secret shared with the token issuer. */
export function tokenKeys(
  scope: Construct,
  { tokens: { jwksUrl, issuer, audience, rotating }, isProtected }: StageSettings,
): { variables: Record<string, string>; secrets: Record<string, ecs.Secret> } {
  const variables = {
    ...(jwksUrl !== undefined && { AUTH_JWKS_URL: jwksUrl }),
    ...(issuer !== undefined && { AUTH_ISSUER: issuer }),
    ...(audience !== undefined && { AUTH_AUDIENCE: audience }),
  };
  if (jwksUrl !== undefined) return { variables, secrets: {} };
  const secret = new Secret(scope, 'TokenSecret', {
    description: 'admin-service: token signing secret (current), and its successor during a rotation (next)',
    generateSecretString: {
      secretStringTemplate: '{}',
      generateStringKey: 'current',
      passwordLength: 64,
      excludePunctuation: true,
    },
    removalPolicy: isProtected ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
  });
  output(scope, 'TokenSecretArn', secret.secretArn);
  explain([secret], {
    'AwsSolutions-SMG4':
      'The token issuer has to change with it, so rotation is a manual procedure (README).',
  });
  return {
    variables,
    secrets: {
      AUTH_JWT_SECRET: ecs.Secret.fromSecretsManager(secret, 'current'),
      ...(rotating && { AUTH_JWT_SECRET_NEXT: ecs.Secret.fromSecretsManager(secret, 'next') }),
    },
  };
}

import { RemovalPolicy } from 'aws-cdk-lib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { StageSettings } from '../settings/stage-settings.js';
import { output } from './output.js';
import { explain } from './explained-findings.js';

/** What the service checks tokens by: a key set's address, or a secret that it shares with who makes the tokens. */
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
    description: 'admin-service: what tokens are signed with (current), and will be (next)',
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
      'Who makes the tokens has to change with it, so it is replaced step by step and by hand (README).',
  });
  return {
    variables,
    secrets: {
      AUTH_JWT_SECRET: ecs.Secret.fromSecretsManager(secret, 'current'),
      ...(rotating && { AUTH_JWT_SECRET_NEXT: ecs.Secret.fromSecretsManager(secret, 'next') }),
    },
  };
}

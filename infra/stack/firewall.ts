import type { ApplicationLoadBalancer } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';
import type { StageSettings } from '../settings/stage-settings.js';
import { BLOCKED } from './firewall-response.js';

const WINDOW_SECONDS = 300;
const RESPONSE_KEY = 'blocked';

/** Blocks callers far above what phones send: by address, and by Authorization header whatever the address. */
export class Firewall extends Construct {
  /** The dimension WebACL of its metrics. */
  readonly metricName: string;

  constructor(
    scope: Construct,
    id: string,
    { settings, balancer }: { settings: StageSettings['firewall']; balancer: ApplicationLoadBalancer },
  ) {
    super(scope, id);
    this.metricName = 'admin-service';
    const acl = new CfnWebACL(this, 'Acl', {
      scope: 'REGIONAL',
      defaultAction: { allow: {} },
      visibilityConfig: visibility(this.metricName),
      customResponseBodies: {
        [RESPONSE_KEY]: { contentType: 'APPLICATION_JSON', content: BLOCKED.body },
      },
      rules: [
        rule('per-address', 1, { aggregateKeyType: 'IP', limit: settings.requestsPerAddress }),
        rule('per-token', 2, {
          aggregateKeyType: 'CUSTOM_KEYS',
          limit: settings.requestsPerToken,
          // Requests without the header are not counted.
          customKeys: [
            { header: { name: 'Authorization', textTransformations: [{ priority: 0, type: 'NONE' }] } },
          ],
        }),
      ],
    });
    // Otherwise a firewall that is unavailable takes the service down with it.
    balancer.setAttribute('waf.fail_open.enabled', 'true');
    new CfnWebACLAssociation(this, 'OfBalancer', {
      webAclArn: acl.attrArn,
      resourceArn: balancer.loadBalancerArn,
    });
  }
}

type Rate = Pick<CfnWebACL.RateBasedStatementProperty, 'aggregateKeyType' | 'limit' | 'customKeys'>;

function rule(name: string, priority: number, rate: Rate): CfnWebACL.RuleProperty {
  const responseHeaders = Object.entries(BLOCKED.headers).map(([header, value]) => ({ name: header, value }));
  return {
    name,
    priority,
    statement: { rateBasedStatement: { ...rate, evaluationWindowSec: WINDOW_SECONDS } },
    action: {
      block: {
        customResponse: {
          responseCode: BLOCKED.status,
          customResponseBodyKey: RESPONSE_KEY,
          responseHeaders,
        },
      },
    },
    visibilityConfig: visibility(name),
  };
}

/** Without samples: they contain the Authorization header. */
function visibility(metricName: string): CfnWebACL.VisibilityConfigProperty {
  return { metricName, cloudWatchMetricsEnabled: true, sampledRequestsEnabled: false };
}

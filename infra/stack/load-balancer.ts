import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { CfnRecordSet } from 'aws-cdk-lib/aws-route53';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { StageSettings } from '../settings/stage-settings.js';
import { output } from './output.js';
import { explain } from './explained-findings.js';
import type { Network } from './network.js';
import { HEALTH_PATH, LIVE_PATH, LONGEST_WAIT, PORT, STOP_TIMEOUT } from './service-facts.js';

const NOT_FOUND_BODY = JSON.stringify({ success: false, message: 'There is nothing at this address.' });

/** The only public component: HTTPS for one host name, and the redirect from HTTP. */
export class LoadBalancer extends Construct {
  readonly balancer: elb.ApplicationLoadBalancer;
  /** Everything but live polls. */
  readonly calls: elb.ApplicationTargetGroup;
  /** The same tasks for live polls, so that waiting polls do not distort the duration percentiles of calls. */
  readonly polls: elb.ApplicationTargetGroup;

  constructor(
    scope: Construct,
    id: string,
    { settings, network }: { settings: StageSettings; network: Network },
  ) {
    super(scope, id);
    this.balancer = new elb.ApplicationLoadBalancer(this, 'Balancer', {
      vpc: network.vpc,
      internetFacing: true,
      // Longer than a waiting poll, shorter than the service's keep-alive.
      idleTimeout: Duration.seconds(60),
      dropInvalidHeaderFields: true,
      deletionProtection: settings.isProtected,
    });
    this.balancer.logAccessLogs(this.#accessLog(settings.logDays));
    this.calls = this.#targetGroup('Calls', network);
    this.polls = this.#targetGroup('Polls', network);
    this.#listen(settings);
    this.#addDnsRecord(settings);
    explain(this.balancer.connections.securityGroups, {
      'AwsSolutions-EC23':
        'The apps call from anywhere: 443 is open to everyone, and 80 for the redirect to it.',
    });
  }

  #targetGroup(id: string, network: Network): elb.ApplicationTargetGroup {
    return new elb.ApplicationTargetGroup(this, id, {
      vpc: network.vpc,
      targetType: elb.TargetType.IP,
      protocol: elb.ApplicationProtocol.HTTP,
      port: PORT,
      healthCheck: {
        // Checks no dependency: an outage of Redis must not take every task out of service.
        path: HEALTH_PATH,
        // An overloaded task answers late but answers; one that hangs is replaced within a minute.
        interval: Duration.seconds(12),
        timeout: Duration.seconds(10),
        healthyThresholdCount: 2,
        unhealthyThresholdCount: 4,
        healthyHttpCodes: '200',
      },
      // After the longest wait of a poll, before ECS kills the task.
      deregistrationDelay: between(LONGEST_WAIT, STOP_TIMEOUT),
    });
  }

  #listen({ certificateArn, domain }: StageSettings): void {
    const https = this.balancer.addListener('Https', {
      port: 443,
      certificates: [elb.ListenerCertificate.fromArn(certificateArn)],
      sslPolicy: elb.SslPolicy.TLS13_12_RES_PQ,
      // Requests for any other host name are not for this service.
      defaultAction: elb.ListenerAction.fixedResponse(404, {
        contentType: 'application/json',
        messageBody: NOT_FOUND_BODY,
      }),
    });
    const byName = elb.ListenerCondition.hostHeaders([domain]);
    https.addAction('Polls', {
      priority: 10,
      conditions: [byName, elb.ListenerCondition.pathPatterns([LIVE_PATH])],
      action: elb.ListenerAction.forward([this.polls]),
    });
    https.addAction('Calls', {
      priority: 20,
      conditions: [byName],
      action: elb.ListenerAction.forward([this.calls]),
    });
    this.balancer.addRedirect();
  }

  #accessLog(days: number): s3.Bucket {
    const bucket = new s3.Bucket(this, 'AccessLog', {
      encryption: s3.BucketEncryption.S3_MANAGED,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      lifecycleRules: [{ expiration: Duration.days(days) }],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    explain([bucket], {
      'AwsSolutions-S1':
        'This bucket holds access logs; logging access to it would only log the same load balancer.',
    });
    return bucket;
  }

  #addDnsRecord({ domain, hostedZoneId }: StageSettings): void {
    if (hostedZoneId !== undefined) {
      new CfnRecordSet(this, 'Name', {
        hostedZoneId,
        name: domain,
        type: 'A',
        aliasTarget: {
          dnsName: this.balancer.loadBalancerDnsName,
          hostedZoneId: this.balancer.loadBalancerCanonicalHostedZoneId,
        },
      });
    }
    output(this, 'Url', `https://${domain}`);
    output(this, 'LoadBalancerName', this.balancer.loadBalancerDnsName);
  }
}

function between(shorter: Duration, longer: Duration): Duration {
  return Duration.seconds(Math.ceil((shorter.toSeconds() + longer.toSeconds()) / 2));
}

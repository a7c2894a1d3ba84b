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

const NOT_HERE = JSON.stringify({ success: false, message: 'There is nothing at this address.' });

/** The only public thing: HTTPS for the one host name, and a redirect to it. */
export class LoadBalancer extends Construct {
  readonly balancer: elb.ApplicationLoadBalancer;
  /** Everything but live polls. */
  readonly calls: elb.ApplicationTargetGroup;
  /**
   * The same tasks once more, for live polls: those that wait for up to 25 s would hide in one percentile of all
   * requests how long a call takes.
   */
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
      // Below the service's keep-alive of 65 s, or it would close connections just as they are used; above a poll's wait.
      idleTimeout: Duration.seconds(60),
      dropInvalidHeaderFields: true,
      deletionProtection: settings.isProtected,
    });
    this.balancer.logAccessLogs(this.#accessLog(settings.logDays));
    this.calls = this.#targetGroup('Calls', network);
    this.polls = this.#targetGroup('Polls', network);
    this.#listen(settings);
    this.#nameIt(settings);
    explain(this.balancer.connections.securityGroups, {
      'AwsSolutions-EC23':
        'The apps call from anywhere, so 443 is open to all, and 80 for the redirect to it.',
    });
  }

  #targetGroup(id: string, network: Network): elb.ApplicationTargetGroup {
    return new elb.ApplicationTargetGroup(this, id, {
      vpc: network.vpc,
      targetType: elb.TargetType.IP,
      protocol: elb.ApplicationProtocol.HTTP,
      port: PORT,
      healthCheck: {
        // It looks at no dependency: a Redis that is away must not take every task out.
        path: HEALTH_PATH,
        interval: Duration.seconds(10),
        timeout: Duration.seconds(5),
        healthyThresholdCount: 2,
        unhealthyThresholdCount: 3,
        healthyHttpCodes: '200',
      },
      // A poll that waits is answered by then, and the task is not killed before.
      deregistrationDelay: between(LONGEST_WAIT, STOP_TIMEOUT),
    });
  }

  #listen({ certificateArn, domain }: StageSettings): void {
    const https = this.balancer.addListener('Https', {
      port: 443,
      certificates: [elb.ListenerCertificate.fromArn(certificateArn)],
      sslPolicy: elb.SslPolicy.TLS13_12_RES_PQ,
      // Who calls by the address instead of the name looks for something else.
      defaultAction: elb.ListenerAction.fixedResponse(404, {
        contentType: 'application/json',
        messageBody: NOT_HERE,
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
        'It is a log itself; a log of who writes to it would be written by the same load balancer.',
    });
    return bucket;
  }

  #nameIt({ domain, hostedZoneId }: StageSettings): void {
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

import { RemovalPolicy } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { StageSettings } from '../settings/stage-settings.js';

/** Two zones: the load balancer in public subnets, the tasks behind a NAT, and Redis without any way out. */
export class Network extends Construct {
  readonly vpc: ec2.Vpc;
  readonly serviceSubnets = { subnetGroupName: 'service' };
  readonly redisSubnets = { subnetGroupName: 'redis' };

  constructor(scope: Construct, id: string, { network, logDays }: StageSettings) {
    super(scope, id);
    const refused = new logs.LogGroup(this, 'RefusedConnections', {
      retention: logDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.vpc = new ec2.Vpc(this, 'Vpc', {
      ipAddresses: ec2.IpAddresses.cidr(network.cidr),
      maxAzs: 2,
      natGateways: network.natGateways,
      subnetConfiguration: [
        { name: 'public', subnetType: ec2.SubnetType.PUBLIC, cidrMask: 24, mapPublicIpOnLaunch: false },
        { name: 'service', subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 20 },
        { name: 'redis', subnetType: ec2.SubnetType.PRIVATE_ISOLATED, cidrMask: 24 },
      ],
      // An image's layers come from S3: through the NAT each of their bytes would cost.
      gatewayEndpoints: { s3: { service: ec2.GatewayVpcEndpointAwsService.S3 } },
      flowLogs: {
        // What was refused is what one looks for; to keep all of it would cost more than the tasks.
        refused: {
          destination: ec2.FlowLogDestination.toCloudWatchLogs(refused),
          trafficType: ec2.FlowLogTrafficType.REJECT,
        },
      },
      // Nothing is in it, and to empty it takes a function with rights on all groups.
      restrictDefaultSecurityGroup: false,
    });
  }
}

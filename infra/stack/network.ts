import { RemovalPolicy } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { StageSettings } from '../settings/stage-settings.js';

/** Two zones: the load balancer in public subnets, tasks in private subnets with NAT, Redis in isolated subnets. */
export class Network extends Construct {
  readonly vpc: ec2.Vpc;
  readonly serviceSubnets = { subnetGroupName: 'service' };
  readonly redisSubnets = { subnetGroupName: 'redis' };

  constructor(scope: Construct, id: string, { network, logDays }: StageSettings) {
    super(scope, id);
    const rejected = new logs.LogGroup(this, 'RefusedConnections', {
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
      // Image layers come from S3; through the NAT gateway their traffic would be charged.
      gatewayEndpoints: { s3: { service: ec2.GatewayVpcEndpointAwsService.S3 } },
      flowLogs: {
        // Logging accepted traffic too would cost more than the tasks.
        refused: {
          destination: ec2.FlowLogDestination.toCloudWatchLogs(rejected),
          trafficType: ec2.FlowLogTrafficType.REJECT,
        },
      },
      // Unused; restricting it would need a Lambda function with rights on all security groups.
      restrictDefaultSecurityGroup: false,
    });
  }
}

import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { StageSettings } from '../settings/stage-settings.js';
import { databaseAuthorities } from './database-authorities.js';
import type { Network } from './network.js';
import type { Service } from './service.js';

export interface DatabaseAccessProps {
  settings: StageSettings;
  network: Network;
  service: Service;
}

/** Access to the platform's existing Postgres, which is in another VPC. */
export class DatabaseAccess extends Construct {
  constructor(scope: Construct, id: string, { settings, network, service }: DatabaseAccessProps) {
    super(scope, id);
    const { secretArn, securityGroupId, port } = settings.database;
    const peering = this.#peerNetworks(settings, network);
    this.#allowTraffic(service.group, securityGroupId, port, peering);

    const secret = Secret.fromSecretCompleteArn(this, 'Secret', secretArn);
    const field = (name: string) => ecs.Secret.fromSecretsManager(secret, name);
    service.configure(
      { DATABASE_PORT: String(port), DATABASE_CA: databaseAuthorities(settings.region) },
      {
        DATABASE_HOST: field('host'),
        DATABASE_NAME: field('dbname'),
        DATABASE_USERNAME: field('username'),
        DATABASE_PASSWORD: field('password'),
      },
    );
  }

  #peerNetworks(
    { database, network: { cidr } }: StageSettings,
    network: Network,
  ): ec2.CfnVPCPeeringConnection {
    const peering = new ec2.CfnVPCPeeringConnection(this, 'Peering', {
      vpcId: network.vpc.vpcId,
      peerVpcId: database.vpcId,
    });
    const { subnets } = network.vpc.selectSubnets(network.serviceSubnets);
    for (const [index, { routeTable }] of subnets.entries()) {
      new ec2.CfnRoute(this, `There${index + 1}`, {
        routeTableId: routeTable.routeTableId,
        destinationCidrBlock: database.vpcCidr,
        vpcPeeringConnectionId: peering.ref,
      });
    }
    for (const [index, routeTableId] of database.routeTableIds.entries()) {
      new ec2.CfnRoute(this, `Back${index + 1}`, {
        routeTableId,
        destinationCidrBlock: cidr,
        vpcPeeringConnectionId: peering.ref,
      });
    }
    return peering;
  }

  /** A rule can reference a security group of a peered VPC only after the peering exists. */
  #allowTraffic(
    group: ec2.SecurityGroup,
    database: string,
    port: number,
    peering: ec2.CfnVPCPeeringConnection,
  ): void {
    const rule = {
      ipProtocol: 'tcp',
      fromPort: port,
      toPort: port,
      description: 'admin-service to Postgres',
    };
    const rules = [
      new ec2.CfnSecurityGroupEgress(this, 'Out', {
        ...rule,
        groupId: group.securityGroupId,
        destinationSecurityGroupId: database,
      }),
      new ec2.CfnSecurityGroupIngress(this, 'In', {
        ...rule,
        groupId: database,
        sourceSecurityGroupId: group.securityGroupId,
      }),
    ];
    for (const each of rules) each.addResourceDependency(peering);
  }
}

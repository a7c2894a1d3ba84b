import { Duration, Stack, type CfnElement } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { EcsTask } from 'aws-cdk-lib/aws-events-targets';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { StageSettings } from '../settings/stage-settings.js';
import { explain } from './explained-findings.js';
import type { Network } from './network.js';
import { output } from './output.js';
import { taskDefinition, type Service } from './service.js';

export interface CanaryTaskProps {
  domain: string;
  canary: NonNullable<StageSettings['canary']>;
  network: Network;
  service: Service;
}

/** Makes one journey a minute through the public address, with the apps' SDK. */
export class CanaryTask extends Construct {
  constructor(scope: Construct, id: string, { domain, canary, network, service }: CanaryTaskProps) {
    super(scope, id);
    const definition = taskDefinition(this, 'Task', { cpu: 256, memoryLimitMiB: 512 });
    const tokens = Secret.fromSecretCompleteArn(this, 'Tokens', canary.tokensSecretArn);
    definition.addContainer('canary', {
      image: service.image.image,
      command: ['node', 'dist/canary.js'],
      readonlyRootFilesystem: true,
      logging: ecs.LogDrivers.awsLogs({ logGroup: service.log, streamPrefix: 'canary' }),
      environment: { CANARY_URL: `https://${domain}`, CANARY_SESSION_ID: canary.sessionId },
      secrets: {
        CANARY_TRAINER_TOKEN: ecs.Secret.fromSecretsManager(tokens, 'trainer'),
        CANARY_STUDENT_TOKEN: ecs.Secret.fromSecretsManager(tokens, 'student'),
      },
    });
    new Rule(this, 'EveryMinute', {
      description: 'admin-service: the canary journey',
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [
        new EcsTask({
          cluster: service.tasks.cluster,
          taskDefinition: definition,
          subnetSelection: network.serviceSubnets,
          securityGroups: [this.#group(network)],
        }),
      ],
    });
    const { region } = Stack.of(this);
    const cluster = Stack.of(this).getLogicalId(service.tasks.cluster.node.defaultChild as CfnElement);
    explain([definition.node.findChild('EventsRole')], {
      [`AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ecs:${region}:*:task/<${cluster}>/*]`]:
        'EventBridge tags the tasks that it starts in this cluster, whose ids nobody knows before.',
    });
    output(this, 'CanaryTask', definition.family);
  }

  #group({ vpc }: Network): ec2.SecurityGroup {
    const group = new ec2.SecurityGroup(this, 'Group', {
      vpc,
      description: 'admin-service canary',
      allowAllOutbound: false,
    });
    group.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443), 'the public address and AWS');
    return group;
  }
}

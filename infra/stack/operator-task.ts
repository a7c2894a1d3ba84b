import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { explain } from './explained-findings.js';
import type { Network } from './network.js';
import { output } from './output.js';
import { taskDefinition, type Service } from './service.js';

/**
 * A task that operators start for one command, or for a shell by ECS Exec. The service's own tasks stay without a shell,
 * because ECS Exec needs a writable file system.
 */
export class OperatorTask extends Construct {
  constructor(scope: Construct, id: string, { network, service }: { network: Network; service: Service }) {
    super(scope, id);
    const definition = taskDefinition(this, 'Task', { cpu: 256, memoryLimitMiB: 512 });
    const container = definition.addContainer('operator', {
      image: service.image.image,
      // Time for a session of ECS Exec; a one-off command overrides it.
      command: ['sleep', '3600'],
      logging: ecs.LogDrivers.awsLogs({ logGroup: service.log, streamPrefix: 'operator' }),
      linuxParameters: new ecs.LinuxParameters(this, 'Linux', { initProcessEnabled: true }),
    });
    service.configureToo(container);
    allowExec(definition);
    const { subnetIds } = network.vpc.selectSubnets(network.serviceSubnets);
    output(this, 'OperatorTask', definition.family);
    output(this, 'TaskNetwork', networkOf(subnetIds, service.group));
  }
}

/** As `aws ecs run-task --network-configuration` takes it. */
function networkOf(subnetIds: string[], group: ec2.SecurityGroup): string {
  return `awsvpcConfiguration={subnets=[${subnetIds.join(',')}],securityGroups=[${group.securityGroupId}]}`;
}

function allowExec(definition: ecs.FargateTaskDefinition): void {
  definition.addToTaskRolePolicy(
    new PolicyStatement({
      actions: ['CreateControlChannel', 'CreateDataChannel', 'OpenControlChannel', 'OpenDataChannel'].map(
        (action) => `ssmmessages:${action}`,
      ),
      resources: ['*'],
    }),
  );
  explain([definition.taskRole], {
    'AwsSolutions-IAM5[Resource::*]': 'The channels of ECS Exec are no resources that a policy could name.',
  });
}

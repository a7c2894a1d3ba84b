import { join } from 'node:path';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import type { Construct } from 'constructs';
import type { StageSettings } from '../settings/stage-settings.js';

const PROJECT_FOLDER = join(import.meta.dirname, '../..');

/**
 * Built from this checkout and pushed by the deployment itself, under a name that is its content's: the same sources are
 * the same image, in each stage, and an older checkout finds its image still there. Or one that a pipeline pushed.
 */
export function serviceImage(scope: Construct, image: StageSettings['image']): ecs.ContainerImage {
  if (image === undefined) {
    return ecs.ContainerImage.fromDockerImageAsset(
      new DockerImageAsset(scope, 'Image', { directory: PROJECT_FOLDER, platform: Platform.LINUX_ARM64 }),
    );
  }
  const repository = ecr.Repository.fromRepositoryName(scope, 'Repository', image.repository);
  return ecs.ContainerImage.fromEcrRepository(repository, image.tag);
}

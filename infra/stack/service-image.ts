import { join } from 'node:path';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import type { Construct } from 'constructs';
import type { StageSettings } from '../settings/stage-settings.js';

const PROJECT_FOLDER = join(import.meta.dirname, '../..');

/**
 * The image named in the settings, or one built from this checkout and pushed during the deployment. A built image is
 * tagged with the hash of its sources, so an older checkout reuses the image it was deployed with.
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

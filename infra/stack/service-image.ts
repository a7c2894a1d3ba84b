import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import type { Construct } from 'constructs';
import type { StageSettings } from '../settings/stage-settings.js';

const PROJECT_FOLDER = join(import.meta.dirname, '../..');

export interface ServiceImage {
  image: ecs.ContainerImage;
  /** The commit, or the tag of an image from the registry. */
  revision: string;
}

/**
 * The image named in the settings, or one built from this checkout and pushed during the deployment. A built image is
 * tagged with the hash of its sources and labels, so the same commit is built once.
 */
export function serviceImage(scope: Construct, image: StageSettings['image']): ServiceImage {
  if (image === undefined) {
    const labels = imageLabels();
    const directory = PROJECT_FOLDER;
    const platform = Platform.LINUX_ARM64;
    const asset = new DockerImageAsset(scope, 'Image', { directory, platform, buildArgs: labels });
    return { image: ecs.ContainerImage.fromDockerImageAsset(asset), revision: labels['REVISION'] };
  }
  const repository = ecr.Repository.fromRepositoryName(scope, 'Repository', image.repository);
  return { image: ecs.ContainerImage.fromEcrRepository(repository, image.tag), revision: image.tag };
}

/** The build arguments that docker/build.sh passes too. */
function imageLabels(): { VERSION: string; REVISION: string; CREATED: string } {
  const { version } = JSON.parse(readFileSync(join(PROJECT_FOLDER, 'package.json'), 'utf8')) as {
    version: string;
  };
  const commit = git('rev-parse', 'HEAD');
  if (commit === undefined) return { VERSION: version, REVISION: 'unknown', CREATED: 'unknown' };
  const isChanged = git('status', '--porcelain') !== '';
  const seconds = Number(git('log', '-1', '--format=%ct'));
  return {
    VERSION: version,
    REVISION: isChanged ? `${commit}-changed` : commit,
    CREATED: new Date(seconds * 1_000).toISOString(),
  };
}

/** Undefined outside of a repository. */
function git(...args: string[]): string | undefined {
  try {
    return execFileSync('git', args, { cwd: PROJECT_FOLDER, encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return undefined;
  }
}

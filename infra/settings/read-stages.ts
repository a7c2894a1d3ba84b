import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { z } from 'zod';
import { stageNames, Stages } from './stage-settings.js';

export type StagesToBuild = z.output<typeof Stages>;

/** Settings that are missing or wrong; the message names every one of them and what it should be. */
export class SettingsError extends Error {}

/** What stands for "yours" in stages.example.json. */
const LEFT_FROM_THE_EXAMPLE = /0{12}|example\.org$/;

/**
 * The stages of a file, or one of them.
 * @throws SettingsError
 */
export function readStages(
  file: string,
  { only, isExample }: { only?: string; isExample: boolean },
): StagesToBuild {
  const given = parseJson(file);
  const wanted = only === undefined ? given : oneOf(given, only, file);
  const result = Stages.safeParse(wanted);
  const problems = [
    ...(result.error?.issues ?? []).flatMap(describe),
    ...(isExample ? [] : leftovers(wanted, '')),
  ];
  if (!result.success || problems.length > 0)
    throw new SettingsError([complaint(file), ...problems].join('\n  '));
  return result.data;
}

function complaint(file: string): string {
  return `The infrastructure can't be built; these settings in infra/${basename(file)} are missing or wrong:`;
}

function parseJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new SettingsError(
      `${file} can't be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** Another stage's mistakes are no reason not to deploy this one. */
function oneOf(given: unknown, stage: string, file: string): unknown {
  if (!(stageNames as readonly string[]).includes(stage))
    throw new SettingsError(`There is no stage ${stage}; there are ${stageNames.join(' and ')}.`);
  const settings = (given as Record<string, unknown> | null)?.[stage];
  if (settings === undefined)
    throw new SettingsError(`infra/${basename(file)} has no settings for the stage ${stage}.`);
  return { [stage]: settings };
}

function describe(issue: z.core.$ZodIssue): string[] {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map(
      (key) => `${[...issue.path, key].join('.')} is no setting; is it a slip of the pen?`,
    );
  return [`${path === '' ? 'the file' : path} ${issue.message}`];
}

function leftovers(value: unknown, path: string): string[] {
  if (typeof value === 'string')
    return LEFT_FROM_THE_EXAMPLE.test(value) ? [`${path} must be yours: ${value} is the example's`] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    leftovers(inner, path === '' ? key : `${path}.${key}`),
  );
}

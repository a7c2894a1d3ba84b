import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { z } from 'zod';
import { stageNames, Stages } from './stage-settings.js';

export type StagesToBuild = z.output<typeof Stages>;

/** Missing or invalid settings. The message names every one and what it should be. */
export class SettingsError extends Error {}

/** Placeholder values of stages.example.json. */
const PLACEHOLDER = /0{12}|example\.org$/;

/**
 * Reads and validates the stages of a file, or only one of them.
 * @throws SettingsError
 */
export function readStages(
  file: string,
  { only, isExample }: { only?: string; isExample: boolean },
): StagesToBuild {
  const given = parseJson(file);
  const selected = only === undefined ? given : selectStage(given, only, file);
  const result = Stages.safeParse(selected);
  const problems = [
    ...(result.error?.issues ?? []).flatMap(describe),
    ...(isExample ? [] : placeholders(selected, '')),
  ];
  if (!result.success || problems.length > 0)
    throw new SettingsError([summary(file), ...problems].join('\n  '));
  return result.data;
}

function summary(file: string): string {
  return `Cannot build the infrastructure. Missing or invalid settings in infra/${basename(file)}:`;
}

function parseJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new SettingsError(`Cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Invalid settings of another stage do not block this one. */
function selectStage(given: unknown, stage: string, file: string): unknown {
  if (!(stageNames as readonly string[]).includes(stage))
    throw new SettingsError(`Unknown stage ${stage}. Stages: ${stageNames.join(', ')}.`);
  const settings = (given as Record<string, unknown> | null)?.[stage];
  if (settings === undefined)
    throw new SettingsError(`infra/${basename(file)} has no settings for the stage ${stage}.`);
  return { [stage]: settings };
}

function describe(issue: z.core.$ZodIssue): string[] {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => `${[...issue.path, key].join('.')} is not a known setting`);
  return [`${path === '' ? 'the file' : path} ${issue.message}`];
}

function placeholders(value: unknown, path: string): string[] {
  if (typeof value === 'string')
    return PLACEHOLDER.test(value) ? [`${path} must be your own value, not the example's ${value}`] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    placeholders(inner, path === '' ? key : `${path}.${key}`),
  );
}

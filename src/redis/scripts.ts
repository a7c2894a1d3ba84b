import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';

type Argument = string | number;
/** What a script answers: a word first, then what belongs to it. Redis' integers are numbers, its strings text. */
export type ScriptReply = [word: string, ...values: (string | number | null)[]];
type Script<Reply> = (...keysThenArguments: Argument[]) => Promise<Reply>;

/** The scripts of scripts/*.lua; each opens with its KEYS, ARGV and what it returns. */
export interface JourneyScripts {
  startJourney: Script<ScriptReply>;
  recordPosition: Script<ScriptReply>;
  readLive: Script<ScriptReply>;
  endJourney: Script<ScriptReply>;
  expireJourney: Script<ScriptReply>;
  dueJourneys: Script<string[]>;
}

const scripts: Record<keyof JourneyScripts, { file: string; numberOfKeys: number }> = {
  startJourney: { file: 'start_journey', numberOfKeys: 7 },
  recordPosition: { file: 'record_position', numberOfKeys: 6 },
  readLive: { file: 'read_live', numberOfKeys: 5 },
  endJourney: { file: 'end_journey', numberOfKeys: 7 },
  expireJourney: { file: 'expire_journey', numberOfKeys: 6 },
  dueJourneys: { file: 'due_journeys', numberOfKeys: 1 },
};

/** Gives the connection one typed method a script; ioredis loads each where it is needed. */
export function withScripts(redis: Redis): Redis & JourneyScripts {
  for (const [name, { file, numberOfKeys }] of Object.entries(scripts)) {
    redis.defineCommand(name, { lua: readScript(file), numberOfKeys });
  }
  return redis as Redis & JourneyScripts;
}

function readScript(name: string): string {
  const text = readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), 'utf8');
  return text.replace(/^-- include: (\w+)$/gm, (_line, include: string) => readScript(`includes/${include}`));
}

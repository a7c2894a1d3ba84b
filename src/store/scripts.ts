import { readFileSync } from 'node:fs';
import type { Cluster, Redis } from 'ioredis';
import { OLDEST_FIX_MS, STALE_AFTER_MS, type JourneyRules } from '../journeys/journey.js';

/** Events that wait for a bus that is away: days of them at 10,000 journeys an hour, at about 300 bytes each. */
const OUTBOX_MAX_LENGTH = 1_000_000;

export type Argument = string | number;
/** What a script answers: a word first, then what belongs to it. Redis' integers are numbers, its strings text. */
export type ScriptReply = [word: string, ...values: (string | number | null)[]];
/** A script for several sessions at once takes the number of its keys before them. */
type Script<Reply> = (...keysThenArguments: Argument[]) => Promise<Reply>;

/** The scripts of scripts/*.lua; each opens with its KEYS, ARGV and what it returns. */
export interface JourneyScripts {
  startJourney: Script<ScriptReply>;
  recordPositions: Script<ScriptReply[]>;
  readLive: Script<ScriptReply[]>;
  endJourney: Script<ScriptReply>;
  expireJourney: Script<ScriptReply>;
  dueJourneys: Script<string[]>;
  reportStale: Script<ScriptReply>;
}

const scripts: Record<keyof JourneyScripts, { file: string; numberOfKeys?: number }> = {
  startJourney: { file: 'start_journey', numberOfKeys: 7 },
  recordPositions: { file: 'record_positions' },
  readLive: { file: 'read_live' },
  endJourney: { file: 'end_journey', numberOfKeys: 7 },
  expireJourney: { file: 'expire_journey', numberOfKeys: 6 },
  dueJourneys: { file: 'due_journeys', numberOfKeys: 1 },
  reportStale: { file: 'report_stale', numberOfKeys: 4 },
};

/** Gives the client one typed method a script; ioredis loads each where it is needed. */
export function withScripts<Client extends Redis | Cluster>(
  redis: Client,
  rules: JourneyRules,
): Client & JourneyScripts {
  const constants = {
    ...rules,
    oldestFixMs: OLDEST_FIX_MS,
    staleAfterMs: STALE_AFTER_MS,
    outboxMaxLength: OUTBOX_MAX_LENGTH,
  };
  for (const [name, { file, ...keys }] of Object.entries(scripts)) {
    redis.defineCommand(name, { lua: withConstants(readScript(file), constants), ...keys });
  }
  return redis as Client & JourneyScripts;
}

function readScript(name: string): string {
  const text = readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), 'utf8');
  return text.replace(/^-- include: (\w+)$/gm, (_line, include: string) => readScript(`includes/${include}`));
}

/** RULES.<name> in a script is a number of the settings, written in rather than sent along with each call. */
function withConstants(text: string, constants: Record<string, number>): string {
  return text.replace(/\bRULES\.(\w+)/g, (_match, name: string) => {
    const value = constants[name];
    if (value === undefined) throw new Error(`there is no rule ${name}`);
    return String(value);
  });
}

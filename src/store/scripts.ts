import { readFileSync } from 'node:fs';
import type { Cluster, Redis } from 'ioredis';
import { EARTH_RADIUS_METERS } from '../journeys/distance.js';
import {
  ACCURACY_CAP_METERS,
  LONGEST_UPDATE_INTERVAL_MS,
  MOST_LATENESS_MS,
  OLDEST_FIX_MS,
  STALE_AFTER_MS,
  type JourneyRules,
} from '../journeys/journey.js';
import { changesPrefix, databaseOf } from './keys.js';

/** Bounds the memory that events take while EventBridge is unavailable. */
const OUTBOX_MAX_LENGTH = 1_000_000;
const DEAD_LETTERS_MAX_LENGTH = 10_000;

export type Argument = string | number;
/** An outcome in a word, and its values. Redis' integers are numbers, its strings text. */
export type ScriptReply = [word: string, ...values: (string | number | null)[]];
/** Of scripts/read_history.lua. */
export type HistoryReply = [
  nowMs: number,
  summary: string | null,
  timeline: string | null,
  watchedLeftMs: number,
  watchRefusedLeftMs: number,
];
/** A script for several sessions takes the number of its keys first. */
type Script<Reply> = (...keysThenArguments: Argument[]) => Promise<Reply>;

/** The scripts of scripts/*.lua, each of which starts with its contract. */
export interface JourneyScripts {
  startJourney: Script<ScriptReply>;
  findStart: Script<ScriptReply>;
  recordPositions: Script<ScriptReply[]>;
  readLive: Script<ScriptReply[]>;
  endJourney: Script<ScriptReply>;
  expireJourney: Script<ScriptReply>;
  dueJourneys: Script<string[]>;
  reportStale: Script<ScriptReply>;
  reportRefusal: Script<ScriptReply>;
  readHistory: Script<HistoryReply>;
  relayHeartbeat: Script<number>;
  settleEvents: Script<number>;
  requeueEvents: Script<number>;
}

const scripts: Record<keyof JourneyScripts, { file: string; numberOfKeys?: number }> = {
  startJourney: { file: 'start_journey', numberOfKeys: 7 },
  findStart: { file: 'find_start', numberOfKeys: 3 },
  recordPositions: { file: 'record_positions' },
  readLive: { file: 'read_live' },
  endJourney: { file: 'end_journey', numberOfKeys: 7 },
  expireJourney: { file: 'expire_journey', numberOfKeys: 6 },
  dueJourneys: { file: 'due_journeys', numberOfKeys: 1 },
  reportStale: { file: 'report_stale', numberOfKeys: 4 },
  reportRefusal: { file: 'report_refusal', numberOfKeys: 2 },
  readHistory: { file: 'read_history', numberOfKeys: 5 },
  relayHeartbeat: { file: 'relay_heartbeat', numberOfKeys: 2 },
  settleEvents: { file: 'settle_events', numberOfKeys: 2 },
  requeueEvents: { file: 'requeue_events', numberOfKeys: 2 },
};

/** Adds one typed method per script to the client. */
export function withScripts<Client extends Redis | Cluster>(
  redis: Client,
  rules: JourneyRules,
): Client & JourneyScripts {
  const constants = {
    ...rules,
    oldestFixMs: OLDEST_FIX_MS,
    staleAfterMs: STALE_AFTER_MS,
    longestUpdateIntervalMs: LONGEST_UPDATE_INTERVAL_MS,
    accuracyCapMeters: ACCURACY_CAP_METERS,
    mostLatenessMs: MOST_LATENESS_MS,
    earthRadiusMeters: EARTH_RADIUS_METERS,
    outboxMaxLength: OUTBOX_MAX_LENGTH,
    deadLettersMaxLength: DEAD_LETTERS_MAX_LENGTH,
    changesPrefix: changesPrefix(databaseOf(redis)),
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

/** Replaces RULES.<name> in a script by its value, so that calls need not send it. */
function withConstants(text: string, constants: Record<string, number | string>): string {
  return text.replace(/\bRULES\.(\w+)/g, (_match, name: string) => {
    const value = constants[name];
    if (value === undefined) throw new Error(`there is no rule ${name}`);
    return typeof value === 'string' ? `'${value}'` : String(value);
  });
}

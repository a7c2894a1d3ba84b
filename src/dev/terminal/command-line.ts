import { parseArgs } from 'node:util';
import type { MapTiles } from '../pages/live-map/map-session.js';

export interface RunnerOptions {
  /** How many trainers drive at the same time. */
  journeys: number;
  /** Only the ready block and errors. */
  isQuiet: boolean;
  preferredPort: number;
  preferredManagementPort: number;
  preferredPagePort: number;
  /** Null: the live map draws its streets itself. */
  mapTiles: MapTiles | null;
}

export type CommandLine =
  { kind: 'run'; options: RunnerOptions } | { kind: 'help' } | { kind: 'wrong'; reason: string };

export const helpText = `npm run dev -- [options]

Starts the service with a Redis, a Postgres and an event bus of its own, and trainers and
students who go through whole journeys. Ctrl-C stops all of it and leaves nothing behind.

  --journeys N     how many trainers drive at the same time (0 to 500; default 5)
  --no-simulate    no trainers and students, the same as --journeys 0
  --quiet          only the ready block and errors
  --help           this text

Environment, all optional:
  REDIS_URL, DATABASE_URL       use these instead of starting throw-away ones
  PORT, MANAGEMENT_PORT         preferred ports (3010, 9464); another one where it is taken
  PAGE_PORT                     the same for the live map and the API page (3011)
  MAP_TILES_URL                 the live map's tiles, such as https://tile.example.com/{z}/{x}/{y}.png;
                                without one it draws the simulated streets and needs no network
  MAP_TILES_ATTRIBUTION         what the tiles' owner wants to be said on the map; needed with a URL
  LOG_LEVEL                     show all of the service's log, at this level
  and every other setting of the service, such as MAX_SPEED_KMH`;

const standardJourneys = 5;
const mostJourneys = 500;

export function readCommandLine(args: string[], environment: NodeJS.ProcessEnv): CommandLine {
  try {
    const { values } = parseArgs({
      args,
      options: {
        journeys: { type: 'string' },
        'no-simulate': { type: 'boolean' },
        quiet: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) return { kind: 'help' };
    const asked = wholeNumber('--journeys', values.journeys, standardJourneys, mostJourneys);
    return {
      kind: 'run',
      options: {
        journeys: values['no-simulate'] ? 0 : asked,
        isQuiet: values.quiet ?? false,
        preferredPort: wholeNumber('PORT', environment['PORT'], 3010, 65_535),
        preferredManagementPort: wholeNumber('MANAGEMENT_PORT', environment['MANAGEMENT_PORT'], 9464, 65_535),
        preferredPagePort: wholeNumber('PAGE_PORT', environment['PAGE_PORT'], 3011, 65_535),
        mapTiles: mapTiles(environment['MAP_TILES_URL'], environment['MAP_TILES_ATTRIBUTION']),
      },
    };
  } catch (error) {
    return { kind: 'wrong', reason: error instanceof Error ? error.message : String(error) };
  }
}

function mapTiles(url: string | undefined, attribution: string | undefined): MapTiles | null {
  if (!url) return null;
  if (!/^https?:\/\/\S+$/.test(url) || ['{x}', '{y}', '{z}'].some((part) => !url.includes(part)))
    throw new Error(`MAP_TILES_URL is "${url}", but has to be a URL with {z}, {x} and {y} in it.`);
  if (!attribution)
    throw new Error(
      'MAP_TILES_ATTRIBUTION is missing: say whose map MAP_TILES_URL shows, such as "© OpenStreetMap".',
    );
  return { url, attribution };
}

function wholeNumber(name: string, text: string | undefined, standard: number, most: number): number {
  if (text === undefined || text === '') return standard;
  if (!/^\d+$/.test(text) || Number(text) > most) {
    throw new Error(`${name} is "${text}", but has to be a whole number from 0 to ${most}.`);
  }
  return Number(text);
}

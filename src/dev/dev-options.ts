import { Command } from 'commander';
import type { MapTiles } from './pages/live-map/map-session.js';
import { number } from './terminal/number-option.js';

export interface DevOptions {
  /** How many trainers drive at the same time. */
  journeys: number;
  port: PreferredPort;
  managementPort: PreferredPort;
  pagePort: PreferredPort;
  /** Null: the live map draws its streets itself. */
  mapTiles: MapTiles | null;
}

export interface PreferredPort {
  name: string;
  port: number;
  /** Set by the user, who does not want another one. */
  isRequired: boolean;
}

const description = `Starts the service with a Redis, a Postgres and an event bus of its own, and simulated trainers and
students. Ctrl-C stops everything and leaves nothing behind.`;

const notes = `
Environment variables, all optional:
  REDIS_URL, DATABASE_URL  servers to use instead of throw-away ones
  PORT                     port of the service (default: 3010, or another one where that is in use)
  MANAGEMENT_PORT          port of its metrics (default: 9464, likewise)
  PAGE_PORT                port of the live map and the API page (default: 3011, likewise)
  MAP_TILES_URL            tiles for the live map, such as https://tile.example.com/{z}/{x}/{y}.png;
                           without it the map draws the simulated streets and needs no network
  MAP_TILES_ATTRIBUTION    attribution of the tiles, shown on the map; required with MAP_TILES_URL
  LOG_LEVEL                show the whole log of the service at this level
and every other setting of the service, such as MAX_SPEED_KMH.`;

const mostJourneys = 500;
const mostPort = 65_535;

/** Exits with code 2 and one line on standard error where something is wrong. */
export function readDevOptions(args: string[], environment: NodeJS.ProcessEnv): DevOptions {
  const program = new Command('npm run dev --')
    .description(description)
    .option('--journeys <n>', 'trainers who drive at the same time', number(0, mostJourneys, 'whole'), 5)
    .option('--no-simulate', 'no simulated trainers and students')
    .addHelpText('after', notes)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
  program.parse(args, { from: 'user' });
  const values = program.opts<{ journeys: number; simulate: boolean }>();
  const fail = (message: string): never => program.error(`error: ${message}`);
  const port = (name: string, standard: number): PreferredPort => {
    const text = environment[name] ?? '';
    const given = /^\d+$/.test(text) ? Number(text) : NaN;
    if (text !== '' && !(given <= mostPort)) fail(`${name} must be a port from 0 to ${mostPort}.`);
    return { name, port: text === '' ? standard : given, isRequired: text !== '' && given !== 0 };
  };
  return {
    journeys: values.simulate ? values.journeys : 0,
    port: port('PORT', 3010),
    managementPort: port('MANAGEMENT_PORT', 9464),
    pagePort: port('PAGE_PORT', 3011),
    mapTiles: mapTiles(environment['MAP_TILES_URL'], environment['MAP_TILES_ATTRIBUTION'], fail),
  };
}

function mapTiles(
  url: string | undefined,
  attribution: string | undefined,
  fail: (message: string) => never,
): MapTiles | null {
  if (!url) return null;
  const isTemplate =
    /^https?:\/\/\S+$/.test(url) && ['{x}', '{y}', '{z}'].every((part) => url.includes(part));
  if (!isTemplate) fail('MAP_TILES_URL must be a URL with {z}, {x} and {y}.');
  if (!attribution) return fail('MAP_TILES_URL needs MAP_TILES_ATTRIBUTION, such as "© OpenStreetMap".');
  return { url, attribution };
}

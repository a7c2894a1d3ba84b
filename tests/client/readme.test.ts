import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const projectFolder = join(import.meta.dirname, '../..');
const page = readFileSync(join(projectFolder, 'src/client/README.md'), 'utf8');
const sourceOf = (name: string) => readFileSync(join(projectFolder, 'src/client', name), 'utf8');

/** As far as the examples use them, by these packages' own declarations. */
const packages = `
declare module 'expo-location' {
  export interface LocationObject {
    coords: { latitude: number; longitude: number; altitude: number | null; accuracy: number | null;
      altitudeAccuracy: number | null; heading: number | null; speed: number | null };
    timestamp: number;
    mocked?: boolean;
  }
  export enum Accuracy { Lowest = 1, Low, Balanced, High, Highest, BestForNavigation }
  export interface Notice { notificationTitle: string; notificationBody: string }
  export function startLocationUpdatesAsync(
    task: string, options?: { accuracy?: Accuracy; foregroundService?: Notice }): Promise<void>;
  export function stopLocationUpdatesAsync(task: string): Promise<void>;
}
declare module 'expo-task-manager' {
  export interface Body<T> { data: T; error: { code: string | number; message: string } | null }
  export function defineTask<T = unknown>(task: string, executor: (body: Body<T>) => Promise<unknown>): void;
}
declare module 'react-native' {
  export type AppStateStatus = 'active' | 'background' | 'inactive' | 'unknown' | 'extension';
  export const AppState: {
    addEventListener(type: 'change', listener: (state: AppStateStatus) => void): { remove(): void };
  };
}
declare module '@react-native-community/netinfo' {
  const NetInfo: { addEventListener(listener: (state: { isConnected: boolean | null }) => void): () => void };
  export default NetInfo;
}`;

/** What the app has of its own. */
const app = `
import type { Notice } from 'expo-location';
import type { EndedBecause, JourneyApi, JourneyErrorCode, Location as Place, TrainerTracker, WatcherState } from 'admin-service/client';
declare global {
  const auth: { token(forceRefresh: boolean): Promise<string> };
  const notice: Notice;
  const showHint: (code: JourneyErrorCode) => void;
  const showEnd: (reason: EndedBecause) => void;
  const marker: { show(place: Place, how: { isGrey: boolean; ageMs: number | null }): void };
  const header: {
    show(state: WatcherState, etaSeconds: number | null): void;
    showEnd(reason: EndedBecause, endedAt: string | undefined): void;
  };
  // Of another block of the page.
  const api: JourneyApi;
  const tracker: TrainerTracker | undefined;
}`;

test('the code on the page compiles, with the SDK as it is', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sdk-page-'));
  try {
    const blocks = [...page.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code = '']) => code);
    expect(blocks).toHaveLength(3);
    const imports = `import * as TaskManager from 'expo-task-manager';\nimport type * as Location from 'expo-location';\n`;
    await Promise.all([
      writeFile(join(folder, 'packages.d.ts'), packages),
      writeFile(join(folder, 'app.d.ts'), app),
      ...blocks.map((code, index) =>
        writeFile(join(folder, `block-${index}.ts`), code.startsWith('import') ? code : imports + code),
      ),
    ]);
    const compilerOptions = {
      ...{ module: 'ESNext', moduleResolution: 'bundler', target: 'ES2022', lib: ['ES2022', 'DOM'] },
      ...{ strict: true, skipLibCheck: true, noEmit: true, types: [] },
      paths: { 'admin-service/client': [join(projectFolder, 'src/client/index.ts')] },
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
    const compiler = join(projectFolder, 'node_modules/typescript/bin/tsc');
    // What is wrong stands in the compiler's output.
    const { stdout } = await run(process.execPath, [compiler, '-p', folder]).catch(
      (error: unknown) => error as { stdout: string },
    );
    expect(stdout).toBe('');
  } finally {
    await rm(folder, { recursive: true });
  }
}, 120_000);

const tables = page.split(/\n\n+/).filter((part) => part.startsWith('|'));

test('each table has one head, and as many cells in each row', () => {
  expect(tables.length).toBeGreaterThan(5);
  for (const table of tables) {
    const rows = table.trim().split('\n');
    expect(rows.filter((row) => /^[|\s-]+$/.test(row))).toEqual([rows[1]]);
    expect(new Set(rows.map((row) => row.split('|').length)).size).toBe(1);
  }
});

/** The first cells of the table with this head. */
function named(head: string): string[] {
  const table = tables.find((each) => each.startsWith(`| ${head}`)) ?? '';
  return [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name = '']) => name);
}

test.each([
  ["tracker's state", 'trainer-tracker.ts', 'TrackerState'],
  ["watcher's state", 'student-watcher.ts', 'WatcherState'],
])('each %s is told, and no other', (head, file, type) => {
  const [, union = ''] = new RegExp(`export type ${type} = (.+);`).exec(sourceOf(file)) ?? [];
  expect(named(head)).toEqual([...union.matchAll(/'(\w+)'/g)].map(([, name]) => name));
});

test.each([
  ["tracker's event", 'trainer-tracker.ts', 'TrackerEvents'],
  ["watcher's event", 'student-watcher.ts', 'WatcherEvents'],
])('each %s is told, and no other', (head, file, type) => {
  const [, body = ''] =
    new RegExp(`export interface ${type} \\{([\\s\\S]*?)\\n\\}`).exec(sourceOf(file)) ?? [];
  expect(named(head)).toEqual([...body.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name));
});

test.each(['startTravel', 'trainerLocation', 'stopTravel', 'subscribeToTrainerLocation'])(
  'who comes from the WebSocket finds what %s has become',
  (message) => {
    expect(named('before')).toContain(message);
  },
);

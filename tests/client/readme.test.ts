import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const projectFolder = join(import.meta.dirname, '../..');
const page = readFileSync(join(projectFolder, 'src/client/README.md'), 'utf8');
const types = (name: string) => join(projectFolder, 'node_modules/@types/react', name);
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
  import type { FC, ReactNode } from 'react';
  export const Text: FC<{ children: ReactNode }>;
  export const Button: FC<{ title: string; onPress: () => void }>;
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
import type { FC } from 'react';
import type { Notice } from 'expo-location';
import type { EndedBecause, JourneyApi, JourneyErrorCode, Location as Place, TrainerTracker, WatcherState } from '@admin-service/client';
declare global {
  const auth: { token(forceRefresh: boolean): Promise<string> };
  const notice: Notice;
  const storage: { get(key: string): Promise<string | null>; set(key: string, value: string): Promise<void> };
  const showHint: (code: JourneyErrorCode) => void;
  const showEnd: (reason: EndedBecause) => void;
  const marker: { show(place: Place, how: { isGrey: boolean; ageMs: number | null }): void };
  const header: {
    show(state: WatcherState, etaSeconds: number | null): void;
    showEnd(reason: EndedBecause, endedAt: string | undefined): void;
  };
  const Marker: FC<{ at: Place; isGrey: boolean; ageMs: number | null }>;
  const test: (requirement: string, run: () => Promise<void>) => void;
  const expect: (value: unknown) => { toBe(value: unknown): void; toMatchObject(value: object): void };
  // Of another block of the page.
  const api: JourneyApi;
  const tracker: TrainerTracker | undefined;
}`;

test("the README's samples compile with the SDK", async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sdk-page-'));
  try {
    const blocks = [...page.matchAll(/^```(tsx?)\n([\s\S]*?)^```/gm)];
    expect(blocks).toHaveLength(5);
    const imports = `import * as TaskManager from 'expo-task-manager';\nimport type * as Location from 'expo-location';\n`;
    await Promise.all([
      writeFile(join(folder, 'packages.d.ts'), packages),
      writeFile(join(folder, 'app.d.ts'), app),
      ...blocks.map(([, ending, code = ''], index) =>
        writeFile(
          join(folder, `block-${index}.${ending}`),
          code.startsWith('import') ? code : imports + code,
        ),
      ),
    ]);
    const compilerOptions = {
      ...{ module: 'ESNext', moduleResolution: 'bundler', target: 'ES2022', lib: ['ES2022', 'DOM'] },
      ...{ strict: true, skipLibCheck: true, noEmit: true, types: [] },
      jsx: 'react-jsx',
      paths: {
        '@admin-service/client': [join(projectFolder, 'src/client/index.ts')],
        '@admin-service/client/*': [join(projectFolder, 'src/client/*/index.ts')],
        ...{ react: [types('index.d.ts')], 'react/jsx-runtime': [types('jsx-runtime.d.ts')] },
      },
    };
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, include: ['*.ts', '*.tsx'] }),
    );
    const compiler = join(projectFolder, 'node_modules/typescript/bin/tsc');
    const { stdout } = await run(process.execPath, [compiler, '-p', folder]).catch(
      (error: unknown) => error as { stdout: string },
    );
    expect(stdout).toBe('');
  } finally {
    await rm(folder, { recursive: true });
  }
}, 120_000);

/** The first cells of the table with this head. */
function named(head: string): string[] {
  const table = page.split('\n\n').find((part) => part.startsWith(`| ${head}`)) ?? '';
  return [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name = '']) => name);
}

test.each([
  ["tracker's state", 'tracker-events.ts', /export type TrackerState = (.+);/, /'(\w+)'/g],
  ["watcher's state", 'watched.ts', /export type WatcherState = (.+);/, /'(\w+)'/g],
  [
    "tracker's event",
    'tracker-events.ts',
    /export interface TrackerEvents \{([\s\S]*?)\n\}/,
    /^ {2}(\w+):/gm,
  ],
  [
    "watcher's event",
    'student-watcher.ts',
    /export interface WatcherEvents \{([\s\S]*?)\n\}/,
    /^ {2}(\w+):/gm,
  ],
])('each %s is documented, and no other', (head, file, declaration, name) => {
  const [, body = ''] = declaration.exec(sourceOf(file)) ?? [];
  const names = [...body.matchAll(name)].map(([, each]) => each);
  expect(names.length).toBeGreaterThan(2);
  expect(named(head)).toEqual(names);
});

test('the messages of the old WebSocket app are documented with what replaces them', () => {
  const messages = ['startTravel', 'trainerLocation', 'stopTravel', 'subscribeToTrainerLocation'];
  expect(named('before')).toEqual(expect.arrayContaining(messages));
});

import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compile, pageOf, samplesOf, writeSamples } from './page-samples.js';

const page = pageOf('README.md');
const sourceOf = (name: string) => readFileSync(join(import.meta.dirname, '../../src/client', name), 'utf8');

/** What the README's apps have of their own. */
const app = `
import type { FC } from 'react';
import type { EndedBecause, JourneyApi, Location as Place, WatcherState } from '@admin-service/client';
declare global {
  const auth: { token(forceRefresh: boolean): Promise<string> };
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
}`;

test.each([
  ['README.md', 5],
  ['MIGRATION.md', 6],
])(
  '%s: the samples compile with the SDK',
  async (name, count) => {
    const samples = samplesOf(name);
    expect(Object.keys(samples)).toHaveLength(count);
    const folder = await writeSamples(samples);
    try {
      if (name === 'README.md') await writeFile(join(folder, 'app.d.ts'), app);
      expect(await compile(folder)).toBe('');
    } finally {
      await rm(folder, { recursive: true });
    }
  },
  120_000,
);

/** The first cells of the table with this head. */
function named(head: string, text = page): string[] {
  const table = text.split('\n\n').find((part) => part.startsWith(`| ${head}`)) ?? '';
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
  ["tracking's problem", 'expo/location-problem.ts', /export type LocationProblem =([^;]+);/, /'(\w+)'/g],
])('each %s is documented, and no other', (head, file, declaration, name) => {
  const [, body = ''] = declaration.exec(sourceOf(file)) ?? [];
  const names = [...body.matchAll(name)].map(([, each]) => each);
  expect(names.length).toBeGreaterThan(2);
  expect(named(head)).toEqual(names);
});

test('the messages of the old WebSocket app are documented with what replaces them', () => {
  const messages = ['startTravel', 'trainerLocation', 'stopTravel', 'subscribeToTrainerLocation'];
  expect(named('before', pageOf('MIGRATION.md'))).toEqual(expect.arrayContaining(messages));
});

/** Compiles the migrated app, and a probe, with the real types of Expo and React Native: npm run test:expo-types. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { compile, samplesOf, writeSamples } from '../page-samples.js';

const packages = join(import.meta.dirname, 'node_modules');
// Only their types are read, so engines and the omitted command-line tools do not matter.
const options = [
  ...['--ignore-scripts', '--legacy-peer-deps', '--engine-strict=false'],
  ...['--no-audit', '--no-fund', '--loglevel=error'],
];
execFileSync('npm', ['ci', ...options], { cwd: import.meta.dirname, stdio: 'inherit' });

const PROBE = `
import AsyncStorage from '@react-native-async-storage/async-storage';
import * as Battery from 'expo-battery';
import * as Location from 'expo-location';
import * as TaskManager from 'expo-task-manager';
import { AppState } from 'react-native';
import { createJourneyTracking, type JourneyTrackingOptions } from '@admin-service/client/expo';
import { api } from './journey/api';

const modules = { location: Location, taskManager: TaskManager, storage: AsyncStorage, appState: AppState, battery: Battery };
const notification = { notificationTitle: 'On the way', notificationBody: 'Seen', notificationColor: '#336699' };
export const tracking = createJourneyTracking({ api, ...modules, notification });
// Each line fails if the real types were not found.
// @ts-expect-error a boolean
export const granted: string = (await Location.getForegroundPermissionsAsync()).granted;
// @ts-expect-error full or reduced
export const isHalf = (await Location.getForegroundPermissionsAsync()).ios?.accuracy === 'half';
// @ts-expect-error fine, coarse or none
export const isRough = (await Location.getForegroundPermissionsAsync()).android?.accuracy === 'rough';
// @ts-expect-error a title is needed
void Location.startLocationUpdatesAsync('task', { foregroundService: { notificationBody: '' } });
// @ts-expect-error a task has a name
TaskManager.defineTask(1, () => Promise.resolve());
// @ts-expect-error keys are strings
void AsyncStorage.getItem(1);
// @ts-expect-error there is no such event
AppState.addEventListener('closed', () => undefined);
// @ts-expect-error a boolean
export const isLow: string = await Battery.isLowPowerModeEnabledAsync();
// @ts-expect-error not expo-location
export const wrong: JourneyTrackingOptions['location'] = TaskManager;
`;

const folder = await writeSamples({ ...samplesOf('MIGRATION.md'), 'probe.ts': PROBE });
after(() => rm(folder, { recursive: true }));
// Here the packages are real.
await rm(join(folder, 'packages.d.ts'));
await symlink(packages, join(folder, 'node_modules'));
const reactTypes = (name: string) => [join(packages, '@types/react', name)];
const react = { react: reactTypes('index.d.ts'), 'react/jsx-runtime': reactTypes('jsx-runtime.d.ts') };

void test('the migrated app compiles with the real modules, which the SDK accepts', async () => {
  assert.equal(await compile(folder, react), '');
});

void test('without their types it does not', async () => {
  await writeFile(join(folder, 'shadow.d.ts'), "declare module 'expo-location';");
  assert.match(await compile(folder, react), /Unused '@ts-expect-error' directive/);
});

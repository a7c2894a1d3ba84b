/** Runs the packed SDK on React Native's own XMLHttpRequest, fetch, AbortController and timers: npm run test:react-native. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildSync } from 'esbuild';
import type * as Sdk from '../../../src/client/index.js';
import { ReactNativePhone, type NativeAnswer, type NativeRequest } from './phone.js';

const VERSION = '0.88.1';
const sessionId = '3f2b8c1e-9d4a-4f6b-8a57-0c1d2e3f4a5b';
const dist = join(import.meta.dirname, '../../../dist');
const tarball =
  readdirSync(dist).find((name) => name.startsWith('admin-service-client-')) ?? 'client:pack first';

const app = mkdtempSync(join(tmpdir(), 'sdk-react-native-'));
process.on('exit', () => {
  rmSync(app, { recursive: true });
});
writeFileSync(join(app, 'package.json'), '{ "private": true }');
const packages = [
  `react-native@${VERSION}`,
  `@react-native/babel-preset@${VERSION}`,
  '@babel/core@7',
  join(dist, tarball),
];
// Only its JavaScript is read, so its engines do not matter.
const options = [
  '--ignore-scripts',
  '--engine-strict=false',
  '--no-audit',
  '--no-fund',
  '--legacy-peer-deps',
  '--loglevel=error',
];
execFileSync('npm', ['install', ...options, ...packages], { cwd: app, stdio: 'inherit' });

const done = (data: object, status = 201): NativeAnswer => ({
  status,
  headers: { 'Content-Type': 'application/json', ETag: 'W/"1"' },
  body: JSON.stringify({ success: true, data }),
});
const isUpdate = ({ url, body }: NativeRequest) => url.endsWith('/updates') && body.includes('latitude');

/** The phone with the SDK, and a service that answers each call properly. */
function aPhone() {
  const phone = new ReactNativePhone(app);
  const time = (laterMs = 0) => new Date(phone.clock.wallMs() + laterMs).toISOString();
  const proper = ({ url }: NativeRequest) => {
    if (url.endsWith('/start-journey')) return done({ startedAt: time(), expiresAt: time(3_600_000) });
    if (url.endsWith('/updates')) return done({ sessionId, timestamp: time(), nextUpdateMs: 5_000 });
    const location = { latitude: 1, longitude: 2, timestamp: time() };
    return done({ isActive: true, startedAt: time(), expiresAt: time(3_600_000), location, ageMs: 0 }, 200);
  };
  phone.answer = proper;
  const sdk = phone.load('@admin-service/client/cjs/index.js') as unknown as typeof Sdk;
  const api = new sdk.JourneyApi({ baseUrl: 'https://api.example.com', getToken: () => 'token' });
  const tracker = new sdk.TrainerTracker({ api, sessionId });
  const fix = () => ({ coords: { latitude: 12.9, longitude: 77.5 }, timestamp: phone.clock.wallMs() });
  const updates = () => phone.requests.filter(isUpdate).length;
  return { phone, proper, sdk, api, tracker, fix, updates };
}

async function started({ phone, tracker }: ReturnType<typeof aPhone>) {
  const start = tracker.start();
  await phone.clock.advance(1_000);
  await start;
}

void test('in the foreground a position is sent every 5 s', async () => {
  const made = aPhone();
  await started(made);
  for (let second = 0; second < 30; second++) {
    void made.tracker.push(made.fix());
    await made.phone.clock.advance(1_000);
  }
  assert.equal(made.updates(), 6);
  made.tracker.close();
});

void test('in the background a task that awaits its push sends every 5 s', async () => {
  const { phone, tracker, fix, updates, ...rest } = aPhone();
  await started({ phone, tracker, fix, updates, ...rest });
  phone.setForeground(false);
  for (let second = 0; second < 60; second++) {
    void phone.runTask(() => tracker.push(fix()));
    await phone.clock.advance(1_000);
  }
  assert.ok(updates() >= 11, `${updates()} updates`);
  tracker.close();
});

void test('a task that does not await, where answers do not get through, still sends every 11 s', async () => {
  const made = aPhone();
  await started(made);
  made.phone.setForeground(false);
  for (let second = 0; second < 60; second++) {
    void made.tracker.push(made.fix());
    await made.phone.clock.advance(1_000);
  }
  assert.ok(made.updates() >= 5, `${made.updates()} updates`);
  made.phone.setForeground(true);
  await made.phone.clock.advance(1_000);
  assert.equal(made.tracker.state, 'tracking');
  made.tracker.close();
});

void test('a request that never answers is aborted on the network after 10 s, and repeated', async () => {
  const made = aPhone();
  await started(made);
  made.phone.answer = (request) => (made.updates() <= 1 ? undefined : made.proper(request));
  void made.tracker.push(made.fix());
  await made.phone.clock.advance(13_000);
  const [first, second] = made.phone.requests.filter(isUpdate);
  assert.deepEqual([first?.isAborted, second?.isAborted, made.tracker.state], [true, false, 'tracking']);
  made.tracker.close();
});

void test('a watcher replaces a hung poll in the foreground', async () => {
  const { phone, proper, sdk, api } = aPhone();
  const watcher = new sdk.StudentWatcher({ api, sessionId });
  watcher.start();
  await phone.clock.advance(500);
  assert.equal(watcher.state, 'live');
  phone.answer = () => undefined;
  await phone.clock.advance(2_000);
  phone.setForeground(false);
  watcher.setBackground(true);
  await phone.clock.advance(600_000);
  phone.answer = proper;
  phone.setForeground(true);
  watcher.setBackground(false);
  await phone.clock.advance(500);
  assert.equal(watcher.state, 'live');
  assert.equal(phone.requests.at(-2)?.isAborted, true);
  watcher.close();
});

void test('hermesc compiles the CommonJS build of every entry', () => {
  const folders: Partial<Record<string, string>> = { linux: 'linux64-bin', darwin: 'osx-bin' };
  const folder = folders[process.platform] ?? 'win64-bin';
  const hermesc = join(app, 'node_modules/hermes-compiler/hermesc', folder, 'hermesc');
  chmodSync(hermesc, 0o755);
  const cjs = join(app, 'node_modules/@admin-service/client/cjs');
  const files = readdirSync(cjs, { recursive: true, encoding: 'utf8' });
  const entries = files.filter((name) => /(^|\/)index\.js$/.test(name));
  assert.ok(entries.length > 2);
  for (const entry of entries) {
    const outfile = join(app, 'bundle.js');
    const entryPoints = [join(cjs, entry)];
    buildSync({ entryPoints, outfile, bundle: true, format: 'cjs', external: ['react'] });
    execFileSync(hermesc, ['-emit-binary', '-O', '-w', '-out', join(app, 'bundle.hbc'), outfile]);
  }
});

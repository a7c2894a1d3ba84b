import { rm } from 'node:fs/promises';
import { compileFunction } from 'node:vm';
import { build } from 'esbuild';
import { JSDOM } from 'jsdom';
import * as react from 'react';
import * as jsxRuntime from 'react/jsx-runtime';
import type { Root } from 'react-dom/client';
import * as client from '../../src/client/index.js';
import * as clientExpo from '../../src/client/expo/index.js';
import * as clientReact from '../../src/client/react/index.js';
import { aSession, metersNorth } from '../support/a-session.js';
import { runService, type RunningService } from '../support/running-service.js';
import { until } from '../support/until.js';
import { FakePhone } from './fake-phone.js';
import { samplesOf, writeSamples } from './page-samples.js';

const { createElement } = react;
type Children = react.PropsWithChildren;
type Press = { title: string; disabled?: boolean; onPress: () => void };
type OfSession = react.FunctionComponent<{ sessionId: string }>;

const { window } = new JSDOM();
let service: RunningService;
let code: string;
let createRoot: (container: Element) => Root;

beforeAll(async () => {
  const { document, navigator } = window;
  Object.assign(globalThis, { window, document, navigator });
  ({ createRoot } = await import('react-dom/client'));
  service = await runService({ settings: { UPDATE_INTERVAL_MS: '500', UPDATE_TOLERANCE_MS: '100' } });
  const send = fetch;
  jest
    .spyOn(globalThis, 'fetch')
    .mockImplementation((url, init) =>
      send(String(url).replace('https://api.example.com', service.url), init),
    );
  const folder = await writeSamples(samplesOf('MIGRATION.md'));
  const contents = ['JourneyScreen', 'HomeScreen', 'StudentScreen', 'tracking']
    .map((name) => `export * from './journey/${name}';`)
    .join('\n');
  const external = [
    'react',
    'react-native',
    'expo-*',
    '@*',
    '../auth',
    '../TrainerMap',
    '../use-is-in-background',
  ];
  const options = { bundle: true, write: false, format: 'cjs', jsx: 'automatic', external } as const;
  const result = await build({ ...options, stdin: { contents, resolveDir: folder } });
  code = result.outputFiles[0]?.text ?? '';
  await rm(folder, { recursive: true });
}, 60_000);
afterAll(() => service.stop());

/** The app of the page on a phone, signed in with a token. */
function anApp(token: string, phone = new FakePhone()) {
  const modules = phone.launch();
  const element = (tag: string) => (props: Children) => createElement(tag, null, props.children);
  const Button = ({ title, disabled, onPress }: Press) =>
    createElement('button', { disabled, onClick: onPress }, title);
  const provided: Record<string, unknown> = {
    ...{ react, 'react/jsx-runtime': jsxRuntime },
    ...{ '@admin-service/client': client, '@admin-service/client/expo': clientExpo },
    '@admin-service/client/react': clientReact,
    'react-native': { View: element('div'), Text: element('p'), Button, AppState: modules.appState },
    'expo-location': modules.location,
    'expo-task-manager': modules.taskManager,
    '@react-native-async-storage/async-storage': { __esModule: true, default: modules.storage },
    '@react-native-community/netinfo': { __esModule: true, default: { addEventListener: () => undefined } },
    '../auth': { auth: { token: () => token, signOut: () => Promise.resolve() } },
    '../TrainerMap': { TrainerMap: () => 'map' },
    '../use-is-in-background': { useIsInBackground: () => false },
  };
  const module = { exports: {} };
  const evaluate = compileFunction(code, ['module', 'require']) as (
    module: { exports: object },
    require: (name: string) => unknown,
  ) => void;
  evaluate(module, (name) => provided[name]);
  const app = module.exports as {
    tracking: clientExpo.JourneyTracking;
    JourneyScreen: OfSession;
    StudentScreen: OfSession;
    HomeScreen: react.FunctionComponent<{ open: (sessionId: string) => void }>;
  };
  return { ...app, phone };
}

function show<Props extends object>(component: react.FunctionComponent<Props>, props: Props) {
  const container = window.document.createElement('div');
  const root = createRoot(container);
  root.render(createElement(react.StrictMode, null, createElement(component, props)));
  const button = (title: string) =>
    [...container.querySelectorAll('button')].find((each) => each.textContent === title && !each.disabled);
  return {
    press: async (title: string) => {
      (await until(`"${title}" can be pressed`, () => button(title))).click();
    },
    shows: (expected: string) =>
      until(`"${expected}" is shown`, () => container.textContent?.includes(expected)),
    close: () => {
      root.unmount();
    },
  };
}

const position = { coords: { ...metersNorth(100), accuracy: 8 } };

test('the journey screen shows why a start has failed', async () => {
  const { sessionId, studentToken } = await aSession();
  const { JourneyScreen, phone } = anApp(studentToken);
  const screen = show(JourneyScreen, { sessionId });
  await screen.press('Start');
  await screen.shows('That did not work (FORBIDDEN, ');
  phone.permission = { granted: false, canAskAgain: false };
  await screen.press('Start');
  await screen.shows("Your student can't see you. Allow the location in the settings.");
  expect([phone.updates.size, phone.stored.size]).toEqual([0, 0]);
  screen.close();
});

test('the student sees the trainer from the start to the arrival, a withdrawn permission, and a restart', async () => {
  const { sessionId, trainerToken, studentToken } = await aSession();
  const trainer = anApp(trainerToken);
  const { phone } = trainer;
  const first = show(trainer.JourneyScreen, { sessionId });
  const student = show(anApp(studentToken).StudentScreen, { sessionId });
  await student.shows('Your trainer has not left yet.');
  await first.press('Start');
  await first.shows('Waiting for GPS…');
  await phone.deliver(position);
  await first.shows('Your student sees you.');
  await student.shows('Your trainer is on the way.');
  const { permission } = phone;
  phone.permission = { ...permission, granted: false };
  await phone.fail();
  await first.shows('Allow the location, so that your student can see you.');
  await student.shows("Your trainer's phone has no position at the moment.");
  phone.permission = permission;
  first.close();
  // The process is gone, but not what the phone has stored.
  const stored = [...phone.stored];
  trainer.tracking.current.tracker?.close();
  await until('the first process is gone', () => phone.stored.size === 0);
  for (const [key, value] of stored) phone.stored.set(key, value);

  const restarted = anApp(trainerToken, phone);
  const open: string[] = [];
  const home = show(restarted.HomeScreen, { open: (each) => open.push(each) });
  await home.shows('To your journey');
  await home.press('To your journey');
  expect(open).toEqual([sessionId]);
  await until('positions come again', () => phone.updates.size === 1);
  const second = show(restarted.JourneyScreen, { sessionId });
  await phone.deliver(position);
  await second.press('I have arrived');
  await second.shows('The journey is over.');
  await student.shows('Your trainer is here.');
  await until('the session is forgotten', () => phone.stored.size === 0 && phone.updates.size === 0);
  for (const screen of [home, second, student]) screen.close();
});

import { setTimeout as pause } from 'node:timers/promises';
import { JSDOM } from 'jsdom';
import { act, createElement, StrictMode, type FunctionComponent } from 'react';
import type { Root } from 'react-dom/client';
import { JourneyApi, TrainerTracker } from '../../src/client/index.js';
import { useLiveJourney, useTrainerTracker } from '../../src/client/react/index.js';
import { aSession, metersNorth } from '../support/a-session.js';
import { runService, type RunningService } from '../support/running-service.js';
import { OFTEN, untilWaiting } from '../support/waiting-polls.js';

let service: RunningService;
let createRoot: (container: Element) => Root;
const complaints = jest.spyOn(console, 'error');
const { window } = new JSDOM();
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  // React looks for a DOM when it is loaded.
  const { document, navigator } = window;
  Object.assign(globalThis, { window, document, navigator, IS_REACT_ACT_ENVIRONMENT: true });
  ({ createRoot } = await import('react-dom/client'));
  service = await runService({ settings: OFTEN });
});
afterAll(() => service.stop());
afterEach(async () => {
  for (const screen of open.splice(0)) await screen.close();
  // Such as "Maximum update depth exceeded", or an update outside of act.
  expect(complaints.mock.calls).toEqual([]);
});

/** The app's one API object of a user, with the requests so far. */
function anApi(token: string) {
  const requests: unknown[] = [];
  const counted: typeof fetch = (url, init) => {
    requests.push(url);
    return fetch(url, init);
  };
  const api = new JourneyApi({ baseUrl: service.url, getToken: () => token, fetch: counted });
  return { api, requests };
}

/** A component in StrictMode, which mounts everything twice. */
function screenOf<Props extends object>(component: FunctionComponent<Props>) {
  const container = window.document.createElement('div');
  const root = createRoot(container);
  const screen = {
    text: () => container.textContent ?? '',
    show: (props: Props) =>
      act(async () => {
        root.render(createElement(StrictMode, null, createElement(component, props)));
        await pause(0);
      }),
    close: () =>
      act(async () => {
        root.unmount();
        await pause(0);
      }),
  };
  open.push(screen);
  return screen;
}

async function untilShown(screen: { text(): string }, pattern: RegExp): Promise<void> {
  for (const endMs = performance.now() + 10_000; !pattern.test(screen.text());) {
    if (performance.now() > endMs) throw new Error(`${String(pattern)} is not shown: ${screen.text()}`);
    await act(() => pause(20));
  }
}

let renders = 0;
function StudentScreen({ api, sessionId }: { api: JourneyApi; sessionId: string | null }) {
  const { state, position, ended } = useLiveJourney(api, sessionId);
  renders += 1;
  return createElement('p', null, `${state} ${position?.sequence ?? '-'} ${ended?.reason ?? ''}`);
}

function TrainerScreen({ tracker }: { tracker: TrainerTracker | null }) {
  const { state, lastSent, lastError, ended } = useTrainerTracker(tracker);
  return createElement(
    'p',
    null,
    `${state} ${lastSent?.sequence ?? '-'} ${lastError?.code ?? ended?.reason ?? ''}`,
  );
}

const fix = () => ({ coords: { ...metersNorth(50), accuracy: 8 }, timestamp: Date.now() });

test('the screens of trainer and student show a journey from before its start to the arrival', async () => {
  const { sessionId, trainerToken, studentToken } = await aSession();
  const [trainer, student] = [screenOf(TrainerScreen), screenOf(StudentScreen)];
  const tracker = new TrainerTracker({ api: anApi(trainerToken).api, sessionId });
  await trainer.show({ tracker: null });
  expect(trainer.text()).toBe('idle - ');
  await trainer.show({ tracker });
  await student.show({ api: anApi(studentToken).api, sessionId });
  expect([trainer.text(), student.text()]).toEqual(['idle - ', 'waiting - ']);
  await act(() => tracker.start());
  await act(() => tracker.push(fix()));
  await untilShown(student, /^live 1 $/);
  expect(trainer.text()).toBe('tracking 1 ');
  await act(() => tracker.arrived());
  await untilShown(student, /^ended 1 arrived$/);
  expect(trainer.text()).toBe('ended 1 arrived');
});

test('mounting twice and rendering again make no further request, and none is made after the unmount', async () => {
  const { sessionId, studentToken } = await aSession();
  const { api, requests } = anApi(studentToken);
  const screen = screenOf(StudentScreen);
  await screen.show({ api, sessionId });
  await act(() => untilWaiting(service, 1));
  // One that the first mount began, the state, and the wait for its change.
  expect(requests.length).toBe(3);
  for (let again = 0; again < 20; again++) await screen.show({ api, sessionId });
  await act(() => pause(100));
  expect(requests.length).toBe(3);
  await screen.close();
  await untilWaiting(service, 0);
  const before = renders;
  api.backOnline();
  await pause(100);
  expect([requests.length, renders]).toEqual([3, before]);
});

test('another session is followed in place of the one before, and null follows none', async () => {
  const [first, second] = [await aSession(), await aSession()];
  await service.api.start(first.sessionId, first.trainerToken);
  await service.api.update(first.trainerToken, {
    sessionId: first.sessionId,
    ...metersNorth(50),
    sequence: 7,
  });
  const screen = screenOf(StudentScreen);
  const { api } = anApi(first.studentToken);
  await screen.show({ api, sessionId: first.sessionId });
  await untilShown(screen, /^live 7/);
  await act(() => untilWaiting(service, 1));
  await screen.show({ api: anApi(second.studentToken).api, sessionId: second.sessionId });
  expect(screen.text()).toBe('waiting - ');
  await act(() => untilWaiting(service, 1));
  await screen.show({ api, sessionId: null });
  await act(() => untilWaiting(service, 0));
  expect(screen.text()).toBe('waiting - ');
  await screen.show({ api, sessionId: second.sessionId });
  await untilShown(screen, /^ended - forbidden$/);
});

test("the trainer's screen shows why a start failed, and a tracker goes on without its screen", async () => {
  const { sessionId, trainerToken } = await aSession({ status: 'completed' });
  const screen = screenOf(TrainerScreen);
  const refused = new TrainerTracker({ api: anApi(trainerToken).api, sessionId });
  await screen.show({ tracker: refused });
  await act(() => refused.start().catch(() => undefined));
  expect(screen.text()).toBe('idle - SESSION_NOT_STARTABLE');
  const session = await aSession();
  const tracker = new TrainerTracker({ api: anApi(session.trainerToken).api, sessionId: session.sessionId });
  await screen.show({ tracker });
  await act(() => tracker.start());
  expect(screen.text()).toBe('tracking - ');
  await screen.close();
  expect(await tracker.push(fix())).toBe('sent');
  expect((await tracker.stop()).stoppedAt).not.toBeNull();
});

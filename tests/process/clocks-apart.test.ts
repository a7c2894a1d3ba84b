import { startLocalEventBus, type LocalEventBus } from '../../src/dev/event-bus/local-event-bus.js';
import { aSession, metersNorth } from '../support/a-session.js';
import { data } from '../support/api.js';
import { clockAheadBy } from '../support/preloaded.js';
import { runServiceProcess, testOfTheSource, type ServiceProcess } from '../support/service-process.js';
import { until } from '../support/until.js';

const AHEAD_MS = 60_000;
/** Well above what calls take on a busy machine, and well below what the clocks are apart. */
const ROOM_MS = AHEAD_MS / 3;

let bus: LocalEventBus;
let ahead: ServiceProcess;
let other: ServiceProcess;
beforeAll(async () => {
  bus = await startLocalEventBus();
  const NODE_OPTIONS = `--import ${clockAheadBy(AHEAD_MS)}`;
  const pace = { UPDATE_INTERVAL_MS: '500', UPDATE_TOLERANCE_MS: '100' };
  [ahead, other] = await Promise.all([
    runServiceProcess(bus, { ...pace, NODE_OPTIONS }),
    runServiceProcess(bus, pace),
  ]);
}, 60_000);
afterAll(async () => {
  for (const each of [ahead, other]) {
    each.kill('SIGKILL');
    await each.exited;
  }
  await bus.stop();
});

testOfTheSource('the clock of a process that is a minute ahead dates nothing that callers get', async () => {
  const session = await aSession();
  const { sessionId, trainerToken, studentToken } = session;
  const beganAt = Date.now();
  const isNear = (time: unknown) => {
    const offMs = Date.parse(String(time)) - beganAt;
    return offMs > -ROOM_MS && offMs < ROOM_MS;
  };
  const started = data(await ahead.api.start(sessionId, trainerToken));
  expect(isNear(started['startedAt'])).toBe(true);
  const update = (process: ServiceProcess, metres: number, sequence: number) =>
    until('the update is accepted', async () => {
      const answer = await process.api.update(trainerToken, {
        sessionId,
        ...metersNorth(metres),
        sequence,
      });
      return answer.status === 201 && data(answer);
    });
  const first = await update(ahead, 60, 1);
  const second = await update(other, 50, 2);
  expect([isNear(first['timestamp']), isNear(second['timestamp'])]).toEqual([true, true]);
  expect(Date.parse(String(second['timestamp']))).toBeGreaterThan(Date.parse(String(first['timestamp'])));
  for (const each of [ahead, other]) {
    const live = data(await each.api.live(sessionId, studentToken));
    expect(live['isActive']).toBe(true);
    expect(live['ageMs']).toBeLessThan(ROOM_MS);
  }
  const arrived = data(await other.api.arrived(sessionId, trainerToken));
  expect(isNear(arrived['arrivedAt'])).toBe(true);
  expect(data(await ahead.api.live(sessionId, studentToken))['endedAt']).toBe(arrived['arrivedAt']);
});

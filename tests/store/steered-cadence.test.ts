import { metersNorth } from '../support/a-session.js';
import { MovingTrainer, scriptedRedis } from '../support/a-moving-trainer.js';
import { contractRules } from '../support/driven-journey.js';

const redis = scriptedRedis();
const aTrainer = () => MovingTrainer.start(redis);

/** Stands there and posts whenever it is asked to. Returns the intervals that it was asked for. */
async function stand(
  trainer: MovingTrainer,
  times: number,
  more: { speed?: number } = {},
): Promise<number[]> {
  const asked: number[] = [];
  let afterMs = 5_000;
  for (let time = 0; time < times; time += 1) {
    afterMs = await trainer.postAt(afterMs / 1_000, 1_000 + (time % 2 ? 3 : 0), more);
    asked.push(afterMs);
  }
  return asked;
}

test('a driving trainer posts every 5 s', async () => {
  const trainer = await aTrainer();
  for (let meters = 3_000; meters >= 0; meters -= 50) {
    expect(await trainer.postAt(5, meters, { speed: 10 })).toBe(5_000);
  }
});

test.each([{ speed: 0 }, {}])(
  'a standing trainer posts every 10 and then every 15 s, at %j',
  async (more) => {
    const trainer = await aTrainer();
    await trainer.postAt(5, 1_040);
    // The first is where it came to a stop, so it has only just begun to stand.
    expect(await stand(trainer, 6, more)).toEqual([5_000, 5_000, 10_000, 15_000, 15_000, 15_000]);
  },
);

test('a trainer who drives on posts every 5 s from the first moving position on', async () => {
  const trainer = await aTrainer();
  expect((await stand(trainer, 5)).at(-1)).toBe(15_000);
  expect(await trainer.postAt(15, 970, { speed: 4 })).toBe(5_000);
  expect(await trainer.postAt(5, 930, { speed: 9 })).toBe(5_000);
  expect(await trainer.stored()).not.toHaveProperty('stillSeconds');
});

test('one slow fix at a traffic light relaxes nothing', async () => {
  const trainer = await aTrainer();
  for (let round = 0; round < 5; round += 1) {
    expect(await trainer.postAt(5, 1_000 - round * 60, { speed: 0 })).toBe(5_000);
    expect(await trainer.postAt(5, 1_000 - round * 60 - 1, { speed: 0 })).toBe(5_000);
  }
});

test('a walking trainer does not stand, with or without a speed from the phone', async () => {
  for (const more of [{}, { speed: 1.4 }]) {
    const trainer = await aTrainer();
    for (let meters = 300; meters > 200; meters -= 7)
      expect(await trainer.postAt(5, meters, more)).toBe(5_000);
  }
});

test('a trainer whose phone reports movement does not stand, wherever the fixes are', async () => {
  expect(new Set(await stand(await aTrainer(), 6, { speed: 5 }))).toEqual(new Set([5_000]));
});

test('coarse positions neither make a trainer stand nor move', async () => {
  const trainer = await aTrainer();
  await stand(trainer, 5);
  expect(await trainer.postAt(15, 1_400, { accuracy: 700 })).toBe(15_000);
  const other = await aTrainer();
  for (let time = 0; time < 6; time += 1) expect(await other.postAt(5, 1_000, { accuracy: 700 })).toBe(5_000);
});

test.each([
  [100, 5_000],
  [2_000, 5_000],
  [4_000, 5_000],
  [8_340, 10_000],
  [13_000, 15_000],
  [60_000, 15_000],
])('a trainer who drives %d m away posts every %d ms', async (meters, nextUpdateMs) => {
  const trainer = await aTrainer();
  await trainer.postAt(5, meters + 60, { speed: 12 });
  expect(Math.abs((await trainer.postAt(5, meters, { speed: 12 })) - nextUpdateMs)).toBeLessThanOrEqual(20);
});

test('a faster trainer posts more often at the same distance', async () => {
  const [slow, fast] = [await aTrainer(), await aTrainer()];
  await Promise.all([slow, fast].map((trainer) => trainer.postAt(5, 8_100)));
  expect(await fast.postAt(5, 8_000, { speed: 30 })).toBe(5_000);
  expect(await slow.postAt(5, 8_000, { speed: 3 })).toBeGreaterThan(9_000);
});

test('after a first or a coarse position the next is asked for soon, at any distance', async () => {
  const trainer = await aTrainer();
  expect(await trainer.postAt(5, 60_000, { speed: 10 })).toBe(5_000);
  expect(await trainer.postAt(5, 59_950, { accuracy: 800 })).toBe(5_000);
  expect(await trainer.postAt(5, 59_900, { speed: 10 })).toBe(15_000);
});

test('without a home only a standing trainer is asked less often', async () => {
  const trainer = await MovingTrainer.start(redis, { home: null });
  expect(await trainer.postAt(5, 60_000, { speed: 10 })).toBe(5_000);
  for (let time = 0; time < 5; time += 1) await trainer.postAt(10, 60_000, { speed: 0 });
  expect(await trainer.postAt(15, 60_000, { speed: 0 })).toBe(15_000);
});

test('overload stretches the interval to 15 s at most, and never below the limit', async () => {
  const trainer = await aTrainer();
  const asked: number[] = [];
  for (const stretch of [1, 1.5, 2, 3, 10, 1e300, Infinity, 0.1, 0, -1]) {
    asked.push(await trainer.post(15, metersNorth(1_000 - asked.length * 90), 0, stretch));
  }
  const longest = 15_000;
  expect(asked).toEqual([5_000, 7_500, 10_000, longest, longest, longest, longest, 5_000, 5_000, 5_000]);
});

test('a phone that posts when asked is never refused', async () => {
  const trainer = await aTrainer();
  let meters = 6_000;
  let afterMs = 0;
  for (let time = 0; time < 60; time += 1) {
    const speed = time % 20 < 8 ? 0 : 10;
    meters -= (speed * afterMs) / 1_000;
    // As early as the clock of a phone may be.
    afterMs = await trainer.postAt(afterMs / 1_000, meters, { speed });
    expect(afterMs).toBeGreaterThanOrEqual(5_000);
  }
});

test('a duplicate gets the same nextUpdateMs', async () => {
  const trainer = await aTrainer();
  await trainer.postAt(5, 10_050);
  const position = { ...metersNorth(10_000), sequence: 7 };
  const first = await trainer.tryToPost(5, position);
  expect(first).toMatchObject({ kind: 'recorded', nextUpdateMs: 11_990 });
  expect(await trainer.tryToPost(1, position)).toEqual({ ...first, kind: 'duplicate' });
});

test.each([
  [1_000, [1_000, 1_000, 2_000, 3_000, 3_000]],
  [6_000, [6_000, 6_000, 12_000, 15_000, 15_000]],
  [20_000, [20_000, 20_000, 20_000, 20_000, 20_000]],
])('with an interval of %d ms a standing trainer posts every %p ms', async (updateIntervalMs, expected) => {
  const rules = { ...contractRules, updateIntervalMs };
  const trainer = await MovingTrainer.start(scriptedRedis(rules), { rules });
  const asked: number[] = [];
  for (let time = 0; time < expected.length; time += 1) {
    asked.push(await trainer.postAt((asked.at(-1) ?? 0) / 1_000, 1_000));
  }
  expect(asked).toEqual(expected);
});

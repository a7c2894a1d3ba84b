import { metersNorth } from '../support/a-session.js';
import { MovingTrainer, scriptedRedis } from '../support/a-moving-trainer.js';

const redis = scriptedRedis();

const nothing = { etaSeconds: null, etaLowSeconds: null, etaHighSeconds: null };
const aTrainer = () => MovingTrainer.start(redis);

async function forecast(trainer: MovingTrainer): Promise<{ low: number; eta: number; high: number }> {
  const { etaLowSeconds: low, etaSeconds: eta, etaHighSeconds: high } = await trainer.view();
  if (low === null || eta === null || high === null) throw new Error('there is no ETA');
  return { low, eta, high };
}

/** Stands for that long, with a receiver's small errors. */
async function stand(trainer: MovingTrainer, meters: number, seconds: number): Promise<void> {
  for (let second = 5; second <= seconds; second += 5) {
    await trainer.postAt(5, meters + (second % 2 ? 2 : -1), { speed: 0 });
  }
}

test('until the trainer has been watched for 20 s all three ETA fields are null', async () => {
  const trainer = await aTrainer();
  expect(await trainer.view()).toMatchObject(nothing);
  for (const meters of [3_000, 2_950, 2_900, 2_850]) {
    await trainer.postAt(5, meters, { speed: 10 });
    expect(await trainer.view()).toMatchObject(nothing);
  }
  await trainer.postAt(5, 2_800, { speed: 10 });
  const { low, eta, high } = await forecast(trainer);
  expect([low, eta, high].every(Number.isInteger)).toBe(true);
  expect(low).toBeLessThan(eta);
  expect(eta).toBeLessThan(high);
});

test('a steady drive arrives within each interval, which narrows on the way', async () => {
  const trainer = await aTrainer();
  let meters = await trainer.drive(3_000, 10, 30);
  const widths: number[] = [];
  while (meters > 100) {
    meters = await trainer.drive(meters, 10, 30);
    const { low, high } = await forecast(trainer);
    expect(low).toBeLessThanOrEqual(meters / 10);
    expect(high).toBeGreaterThanOrEqual(meters / 10);
    widths.push(high - low);
  }
  expect(widths.length).toBeGreaterThan(5);
  expect(widths).toEqual(widths.toSorted((a, b) => b - a));
});

test('while driving, the ETA does not depend on the speed from the phone', async () => {
  const [telling, silent] = [await aTrainer(), await aTrainer()];
  await telling.drive(3_000, 10, 60);
  for (let meters = 2_950; meters >= 2_400; meters -= 50) await silent.postAt(5, meters);
  expect(await forecast(silent)).toEqual(await forecast(telling));
});

test('there is no ETA while the trainer drives away, and one soon after the turn', async () => {
  const trainer = await aTrainer();
  const meters = await trainer.drive(1_000, -10, 60);
  expect(await trainer.view()).toMatchObject(nothing);
  await trainer.drive(meters, 10, 60);
  expect((await forecast(trainer)).high).toBeGreaterThan(100);
});

test('there is no ETA while the trainer circles the home', async () => {
  const trainer = await aTrainer();
  for (let second = 0; second <= 120; second += 5) {
    const angle = second / 100;
    const { latitude, longitude } = metersNorth(0);
    const north = (1_000 * Math.cos(angle)) / 111_195;
    const east = (1_000 * Math.sin(angle)) / 111_195 / Math.cos((latitude * Math.PI) / 180);
    await trainer.post(5, { latitude: latitude + north, longitude: longitude + east, speed: 10 });
  }
  expect(await trainer.view()).toMatchObject(nothing);
});

test('while the trainer stands at a light the ETA stays, and after a minute it is null', async () => {
  const trainer = await aTrainer();
  const meters = await trainer.drive(2_500, 10, 60);
  let last = (await forecast(trainer)).eta;
  for (let stood = 5; stood <= 55; stood += 5) {
    await stand(trainer, meters, 5);
    const { eta } = await forecast(trainer);
    expect(eta).toBeGreaterThan(last - 5);
    last = eta;
  }
  await stand(trainer, meters, 20);
  expect(await trainer.view()).toMatchObject(nothing);
  await trainer.drive(meters, 10, 10);
  expect((await forecast(trainer)).eta).toBeGreaterThan(last);
});

test('between two positions the time of arrival does not change', async () => {
  const trainer = await aTrainer();
  await trainer.drive(3_000, 10, 120);
  const { low, eta, high } = await forecast(trainer);
  trainer.clock.advance(12_000);
  expect(await forecast(trainer)).toEqual({ low: low - 12, eta: eta - 12, high: high - 12 });
});

test('in a tunnel the ETA lasts a minute, and one position behind it brings it back', async () => {
  const trainer = await aTrainer();
  const meters = await trainer.drive(3_000, 10, 60);
  trainer.clock.advance(60_000);
  await forecast(trainer);
  trainer.clock.advance(1);
  expect(await trainer.view()).toMatchObject(nothing);
  await trainer.postAt(15, meters - 750, { speed: 10 });
  const { low, high } = await forecast(trainer);
  expect(low).toBeLessThan((meters - 750) / 10);
  expect(high).toBeGreaterThan((meters - 750) / 10);
});

test('coarse positions do not change the ETA of the last exact one', async () => {
  const [undisturbed, disturbed] = [await aTrainer(), await aTrainer()];
  for (let meters = 3_000; meters >= 2_000; meters -= 100) {
    await undisturbed.postAt(10, meters, { speed: 10 });
    await disturbed.postAt(5, meters + 4_000, { accuracy: 900 });
    expect(await disturbed.view()).toMatchObject({ location: { accuracy: 900 } });
    await disturbed.postAt(5, meters, { speed: 10 });
  }
  const before = await forecast(undisturbed);
  expect(await forecast(disturbed)).toEqual(before);
  await disturbed.postAt(5, 6_000, { accuracy: 900 });
  expect((await forecast(disturbed)).eta).toBe(before.eta - 5);
});

test('near the door the arrival may be at any moment, and takes no longer than parking and walking', async () => {
  const trainer = await aTrainer();
  await trainer.drive(1_500, 7, 200);
  const { low, high } = await forecast(trainer);
  expect(low).toBe(0);
  expect(high).toBeLessThan(180);
});

test.each([
  ['from coarse positions alone', {}, { accuracy: 150 }],
  ['without a home', { home: null }, { speed: 10 }],
])('there is no ETA %s', async (_name, session, position) => {
  const trainer = await MovingTrainer.start(redis, session);
  for (let meters = 3_000; meters >= 2_000; meters -= 50) await trainer.postAt(5, meters, position);
  expect(await trainer.stored()).not.toHaveProperty('approach');
  expect(await trainer.view()).toMatchObject(nothing);
});

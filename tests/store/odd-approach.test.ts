import { metersNorth } from '../support/a-session.js';
import { MovingTrainer, scriptedRedis } from '../support/a-moving-trainer.js';

const redis = scriptedRedis();

const approach = [10, 10, 200, 60];
const withOne = (odd: string) =>
  approach.map((_, place) => `[${approach.with(place, NaN).join()}]`.replace('NaN', odd));

/** JSON that another writer could have written. */
const readable = [
  ...['null', 'true', '12', '"text"', '{}', '[]', '[[]]', '{"0":10,"1":10}', '[10]', '[10,10,200]'],
  ...['[null,null,null,null]', '["10","10","200","60"]', '[10,10,200,60,1]'],
  ...['-1', '1e300', '1e999', 'null', '"x"', '[]'].flatMap(withOne),
];
/** Only Redis' JSON parser accepts these. */
const onlyForLua = ['NaN', 'Infinity', '0x10', ...['NaN', '-inf'].flatMap(withOne)];
const oddNumbers = ['null', '"x"', '[]', '{}', '-1', '1e300', '1e999', '0.5'];

async function aDrive(): Promise<{ trainer: MovingTrainer; meters: number }> {
  const trainer = await MovingTrainer.start(redis);
  return { trainer, meters: await trainer.drive(3_000, 10, 25) };
}

async function expectHealthy(trainer: MovingTrainer): Promise<void> {
  const stored = await trainer.stored();
  const number: unknown = expect.any(Number);
  expect(stored['approach']).toEqual([number, number, number, number]);
  expect([5_000, 10_000, 15_000]).toContain(stored['nextUpdateMs']);
}

test.each([...readable, ...onlyForLua])('an approach that is %s is ignored, then replaced', async (odd) => {
  const { trainer, meters } = await aDrive();
  await trainer.overwrite('approach', odd);
  if (readable.includes(odd)) {
    const view = await trainer.view();
    expect(view).toMatchObject({ isActive: true, distanceMeters: meters });
    const eta = [view.etaLowSeconds, view.etaSeconds, view.etaHighSeconds];
    const sorted = eta.toSorted((a, b) => Number(a) - Number(b));
    expect(eta).toEqual(eta.includes(null) ? [null, null, null] : sorted);
  }
  await trainer.postAt(5, meters, { accuracy: 500 });
  await trainer.drive(meters, 10, 10);
  await expectHealthy(trainer);
  await trainer.drive(meters - 100, 10, 25);
  expect((await trainer.view()).etaSeconds).toBeGreaterThan(0);
});

test.each(
  ['nextUpdateMs', 'stillSeconds', 'fixMs', 'reference'].flatMap((field) =>
    [...oddNumbers, 'NaN', 'Infinity'].map((odd) => [field, odd] as const),
  ),
)('the next position after a %s that is %s is valid', async (field, odd) => {
  for (const accuracy of [8, 500]) {
    const { trainer, meters } = await aDrive();
    await trainer.overwrite(field, odd);
    const outcome = await trainer.tryToPost(5, { ...metersNorth(meters), accuracy });
    // A last fix in the far future makes all others stale until it expires.
    if (outcome.kind !== 'recorded') expect([outcome.kind, field]).toEqual(['stale', 'fixMs']);
    else {
      expect([5_000, 10_000, 15_000]).toContain(outcome.nextUpdateMs);
      expect(await trainer.stored()).toMatchObject({ accuracy, nextUpdateMs: outcome.nextUpdateMs });
      expect(await trainer.view()).toMatchObject({ isActive: true, freshness: 'live' });
    }
  }
});

test.each(oddNumbers)('a reference of a coarse position that is %s is ignored', async (odd) => {
  const { trainer, meters } = await aDrive();
  await trainer.postAt(5, meters, { accuracy: 500 });
  const withFixMs = `{"latitude":12.97,"longitude":77.59,"fixMs":${odd}}`;
  for (const reference of [odd, withFixMs, `{"latitude":${odd}}`]) {
    await trainer.overwrite('reference', reference);
    expect(await trainer.view()).toMatchObject({ isActive: true, location: { accuracy: 500 } });
  }
  await trainer.postAt(5, meters, { accuracy: 500 });
  await trainer.drive(meters, 10, 30);
  await expectHealthy(trainer);
});

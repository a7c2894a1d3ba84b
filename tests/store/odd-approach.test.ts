import { MovingTrainer, scriptedRedis } from '../support/a-moving-trainer.js';

const redis = scriptedRedis();

const approach = [10, 10, 200, 60];
const withOne = (odd: string) =>
  approach.map((_, place) => `[${approach.with(place, NaN).join()}]`.replace('NaN', odd));

/** JSON that any writer can have written. */
const readable = [
  ...['null', 'true', '12', '-1', '"text"', '""', '{}', '[]', '[[]]', '[{}]', '{"0":10,"1":10}'],
  ...[
    '[10]',
    '[10,10]',
    '[10,10,200]',
    '[null,null,null,null]',
    '["10","10","200","60"]',
    '[10,10,200,60,1]',
  ],
  // Of another version: the distance and the time first.
  '[1849,1750000000000,5.31,6.12,300]',
  ...['-1', '-1e300', '1e300', '1e999', '-1e999', 'null', '"x"', '[]', '{}', 'true'].flatMap(withOne),
];
/** What Redis' reader of JSON lets through and no other does. */
const onlyForLua = [
  'NaN',
  'nan',
  'Infinity',
  '-Infinity',
  '0x10',
  ...['NaN', 'Infinity', '-inf'].flatMap(withOne),
];

async function aDrive(): Promise<{ trainer: MovingTrainer; meters: number }> {
  const trainer = await MovingTrainer.start(redis);
  return { trainer, meters: await trainer.drive(3_000, 10, 25) };
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

async function expectHealthy(trainer: MovingTrainer): Promise<void> {
  const { approach: kept, nextUpdateMs } = await trainer.stored();
  expect(kept).toHaveLength(4);
  expect((kept as unknown[]).every(isNumber)).toBe(true);
  expect([5_000, 10_000, 15_000]).toContain(nextUpdateMs);
}

test.each(readable)(
  'a kept approach that is %s does not keep live from showing the position',
  async (odd) => {
    const { trainer, meters } = await aDrive();
    await trainer.overwrite('approach', odd);
    const view = await trainer.view();
    expect(view).toMatchObject({ isActive: true, distanceMeters: meters });
    const { etaLowSeconds: low, etaSeconds: eta, etaHighSeconds: high } = view;
    if (eta === null) expect([low, high]).toEqual([null, null]);
    else expect([low, eta, high]).toEqual([low, eta, high].toSorted((a, b) => Number(a) - Number(b)));
  },
);

test.each([...readable, ...onlyForLua])(
  'after a kept approach that is %s the next one is in order',
  async (odd) => {
    const { trainer, meters } = await aDrive();
    await trainer.overwrite('approach', odd);
    await trainer.drive(meters, 10, 5);
    await expectHealthy(trainer);
    await trainer.drive(meters - 50, 10, 25);
    expect((await trainer.view()).etaSeconds).toBeGreaterThan(0);
  },
);

test.each([...readable, ...onlyForLua])(
  'a coarse position does not carry on an approach that is %s',
  async (odd) => {
    const { trainer, meters } = await aDrive();
    await trainer.overwrite('approach', odd);
    await trainer.postAt(5, meters, { accuracy: 500 });
    // Readable again, whatever it was.
    const { approach: kept } = await trainer.stored();
    if (kept !== undefined) await expectHealthy(trainer);
    await trainer.drive(meters, 10, 10);
    await expectHealthy(trainer);
  },
);

const oddNumbers = ['null', 'true', '"x"', '""', '[]', '{}', '-1', '-1e300', '1e300', '1e999', '0.5'];

test.each(
  ['nextUpdateMs', 'stillSeconds', 'fixMs', 'reference'].flatMap((field) =>
    [...oddNumbers, 'NaN', 'Infinity'].map((odd) => [field, odd] as const),
  ),
)('after a kept %s that is %s whatever is taken is in order', async (field, odd) => {
  for (const accuracy of [8, 500]) {
    const { trainer, meters } = await aDrive();
    await trainer.overwrite(field, odd);
    const outcome = await trainer.tryToPost(5, {
      latitude: 12.9716 + meters / 111_195,
      longitude: 77.5946,
      accuracy,
    });
    // A last fix of the far future makes every other one stale, until it expires.
    if (outcome.kind !== 'recorded') expect([outcome.kind, field]).toEqual(['stale', 'fixMs']);
    else {
      expect([5_000, 10_000, 15_000]).toContain(outcome.nextUpdateMs);
      expect(await trainer.stored()).toMatchObject({ accuracy, nextUpdateMs: outcome.nextUpdateMs });
      expect(await trainer.view()).toMatchObject({ isActive: true, freshness: 'live' });
    }
  }
});

test.each(oddNumbers)('a kept reference of a coarse position that is %s is none', async (odd) => {
  const { trainer, meters } = await aDrive();
  await trainer.postAt(5, meters, { accuracy: 500 });
  for (const reference of [
    odd,
    `{"latitude":12.97,"longitude":77.59,"fixMs":${odd}}`,
    `{"latitude":${odd}}`,
  ]) {
    await trainer.overwrite('reference', reference);
    expect(await trainer.view()).toMatchObject({ isActive: true, location: { accuracy: 500 } });
  }
  await trainer.postAt(5, meters, { accuracy: 500 });
  await trainer.drive(meters, 10, 30);
  await expectHealthy(trainer);
});

test.each(oddNumbers)(
  'a nextUpdateMs that is %s makes no odd time to poll, and no odd freshness',
  async (odd) => {
    const { trainer } = await aDrive();
    await trainer.overwrite('nextUpdateMs', odd);
    const { nextPollMs } = await trainer.view();
    expect(nextPollMs).toBeGreaterThanOrEqual(5_000);
    expect(nextPollMs).toBeLessThanOrEqual(15_500);
    trainer.clock.advance(70_001);
    expect(await trainer.view()).toMatchObject({ freshness: 'stale' });
  },
);

import { Phase } from '../../../src/dev/load/recorder.js';

test('an arrival is compared with the range of each answer that has one', () => {
  const phase = new Phase();
  const range = { etaSeconds: 100, etaLowSeconds: 80, etaHighSeconds: 120 };
  phase.compareEta(range, 90);
  phase.compareEta(range, 130);
  phase.compareEta({ ...range, etaLowSeconds: null, etaHighSeconds: null }, 100);
  expect(phase.eta).toEqual({ answers: 3, withRange: 2, inside: 1 });
  expect(phase.etaErrors.spread()).toMatchObject({ count: 3, max: expect.closeTo(30_000, -2) as number });
});

// Learning rates by step against the tables of PyTorch's schedulers.
import t from 'tap';
import { learningRateAt } from '../../../../src/toolkit/training/recipe/schedules.js';
import type { Schedule } from '../../../../src/toolkit/training/recipe/settings.js';
import { largestDifference } from '../../../helpers/gradient-check.js';
import { parts } from '../../../helpers/training-parts-fixture.js';

function table(schedule: Schedule, learningRate: number, steps: number, stepsPerEpoch = 10): number[] {
  return Array.from({ length: steps }, (_, step) =>
    learningRateAt(schedule, learningRate, { step, steps, stepsPerEpoch }),
  );
}

const cases: Record<string, [schedule: Schedule, learningRate: number]> = {
  cosine: [{ kind: 'cosine' }, 0.1],
  'cosine warm-up': [{ kind: 'cosine', warmupEpochs: 0.5 }, 0.1],
  milestones: [{ kind: 'step', milestones: [1, 2.5], factor: 0.2 }, 0.1],
  every: [{ kind: 'step', every: 1.5, factor: 0.5 }, 0.1],
  'one-cycle': [{ kind: 'one-cycle' }, 0.1],
  'one-cycle settings': [{ kind: 'one-cycle', rise: 0.45, startDivisor: 10, endDivisor: 100 }, 0.4],
  'one-cycle short': [{ kind: 'one-cycle' }, 0.4],
};

t.same(Object.keys(parts.schedules).sort(), Object.keys(cases).sort(), 'every recorded case is compared');

for (const [name, [schedule, learningRate]] of Object.entries(cases))
  t.test(`${name}: the rates equal those of PyTorch in every step`, async (t) => {
    const expected = parts.schedules[name] ?? [];
    const error = largestDifference(table(schedule, learningRate, expected.length), expected) / learningRate;
    t.ok(error <= 2e-9, `off by ${error.toExponential(1)}`);
  });

t.test('a constant rate stays, and the default factor of step is a tenth', async (t) => {
  t.same(table({ kind: 'constant' }, 0.3, 3), [0.3, 0.3, 0.3]);
  t.same(table({ kind: 'step', every: 1 }, 1, 3, 1), [1, 0.1, 0.1 ** 2]);
});

t.test('a run of one step has a finite rate in every schedule', async (t) => {
  const schedules: Schedule[] = [
    { kind: 'constant' },
    { kind: 'step', milestones: [1] },
    { kind: 'cosine' },
    { kind: 'one-cycle' },
    { kind: 'one-cycle', rise: 0 },
  ];
  for (const schedule of schedules) {
    const [rate = Number.NaN] = table(schedule, 1, 1, 1);
    t.ok(Number.isFinite(rate) && rate > 0, `${schedule.kind}: ${rate}`);
  }
});

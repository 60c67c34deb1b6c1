// History → the best epoch, and whether training stops.
import t from 'tap';
import type { EarlyStopping } from '../../../../src/toolkit/training/recipe/settings.js';
import { bestEpoch, isPatienceOver } from '../../../../src/toolkit/training/run/early-stopping.js';
import type { EpochRecord } from '../../../../src/toolkit/training/run/history.js';

/** One epoch a value, from 1 on. */
function historyOf(monitor: EarlyStopping['monitor'], values: readonly number[]): EpochRecord[] {
  return values.map((value, i) => ({
    epoch: i + 1,
    loss: 1,
    accuracy: 0.5,
    [monitor]: value,
    learningRate: 0.1,
    seconds: 1,
    imagesPerSecond: 1,
  }));
}

const losses: [values: number[], stopping: Partial<EarlyStopping>, best: number, over: boolean][] = [
  [[0.5], { patience: 1 }, 1, false],
  [[0.5, 0.4, 0.3], { patience: 1 }, 3, false],
  [[0.5, 0.4, 0.45], { patience: 1 }, 2, true],
  [[0.5, 0.4, 0.45], { patience: 2 }, 2, false],
  [[0.5, 0.4, 0.45, 0.41], { patience: 2 }, 2, true],
  [[0.5, 0.4, 0.4, 0.4], { patience: 2 }, 2, true],
  [[0.5, 0.45, 0.41, 0.3], { minDelta: 0.1, patience: 2 }, 4, false],
  [[0.5, 0.45, 0.41, 0.405], { minDelta: 0.1, patience: 3 }, 1, true],
  [[0.5, 0.6, 0.7, 0.8], {}, 1, false],
];

for (const [values, stopping, best, over] of losses)
  t.test(`losses ${values} with ${JSON.stringify(stopping)}: epoch ${best} is the best`, async (t) => {
    const settings: EarlyStopping = { monitor: 'valLoss', ...stopping };
    const history = historyOf('valLoss', values);
    t.equal(bestEpoch(history, settings), history[best - 1]);
    t.equal(isPatienceOver(history, settings), over);
  });

t.test('a higher accuracy is better', async (t) => {
  const history = historyOf('valAccuracy', [0.8, 0.9, 0.85, 0.9]);
  const settings: EarlyStopping = { monitor: 'valAccuracy', patience: 2 };
  t.equal(bestEpoch(history, settings)?.epoch, 2, 'the first of equals');
  t.equal(isPatienceOver(history, settings), true);
  t.equal(isPatienceOver(history.slice(0, 3), settings), false);
});

t.test(
  'without an epoch, or without validation, there is no best epoch and training continues',
  async (t) => {
    const settings: EarlyStopping = { monitor: 'valLoss', patience: 1 };
    for (const history of [[], historyOf('valAccuracy', [0.5, 0.4, 0.3])]) {
      t.equal(bestEpoch(history, settings), undefined);
      t.equal(isPatienceOver(history, settings), false);
    }
  },
);

t.test('the decision depends only on the history, wherever the run was interrupted', async (t) => {
  const values = [0.9, 0.7, 0.71, 0.6, 0.65, 0.66, 0.64];
  const settings: EarlyStopping = { monitor: 'valLoss', patience: 3 };
  const history = historyOf('valLoss', values);
  const stored = JSON.parse(JSON.stringify(history)) as EpochRecord[];
  const decisions = (of: EpochRecord[]) => values.map((_, i) => isPatienceOver(of.slice(0, i + 1), settings));
  t.same(decisions(stored), decisions(history));
  t.same(decisions(history), [false, false, false, false, false, false, true]);
});

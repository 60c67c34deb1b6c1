// A run's record, report and history → results.md.
import t from 'tap';
import { resultsTable } from '../../../src/toolkit/plots/table.js';
import { mnistCnnRecipe } from '../../../src/toolkit/training/recipe/bundled/mnist-cnn.js';
import { figures } from '../../helpers/figures.js';

t.test('the table shows recipe, parameters, epochs, and the figures of each variant', async (t) => {
  const evaluation = figures({
    bytes: 901148,
    accuracy: 0.9923,
    latencyMs: { mean: 0.2, p50: 0.1901, p95: 0.25 },
    imagesPerSecond: 7516.77,
  });
  const epoch = {
    epoch: 1,
    loss: 0.1,
    accuracy: 0.97,
    learningRate: 0.001,
    seconds: 9,
    imagesPerSecond: 900,
  };
  const text = resultsTable({
    run: 'runs/mnist-cnn',
    record: {
      recipe: mnistCnnRecipe,
      dataset: { name: 'mnist', folder: 'data/mnist', sha256: 'ab'.repeat(32) },
      labels: ['0', '1'],
      parameters: 225034,
      tool: 'quati 0.1.0',
      started: '',
      commands: ['npx quati train mnist-cnn'],
      finished: true,
    },
    report: {
      dataset: { name: 'mnist', sha256: 'ab'.repeat(32) },
      date: '',
      variants: { float32: { ...evaluation, reinked: { images: 2000, accuracy: 0.989 } }, int8: evaluation },
    },
    history: [{ ...epoch, valLoss: 0.1, valAccuracy: 0.98 }],
  });
  for (const line of [
    '# Handwritten digits: mnist-cnn',
    '| parameters | 225,034 |',
    '| epochs | 1 of 5 |',
    '| best validation accuracy | 98.00 % |',
    '| float32 | 99.23 % | 98.90 % of 2,000 | 901,148 | 0.190 | 0.250 | 7517 |',
    '| int8 | 99.23 % |  | 901,148 | 0.190 | 0.250 | 7517 |',
    '![Loss and accuracy by epoch](history.png)',
    'npx quati train mnist-cnn',
  ])
    t.ok(text.split('\n').includes(line), line);
});

// Scores and labels → confidences and predictions.
import t from 'tap';
import { confidencesToPredictions, scoresToConfidences } from '../../src/inference/category.js';
import { ModelError } from '../../src/inference/errors.js';

t.test('softmax is stable for large scores and sums to 1', (t) => {
  const [low, high] = scoresToConfidences([1000, 1001], 'softmax', 2);
  t.equal(low, 1 / (1 + Math.E));
  t.equal(high, 1 / (1 + 1 / Math.E));
  t.end();
});

t.test('sigmoid converts each score separately; one score with two labels is the second label', (t) => {
  t.same(scoresToConfidences([0, 0], 'sigmoid', 2), [0.5, 0.5]);
  const [no = 0, yes = 0] = scoresToConfidences([Math.log(3)], 'sigmoid', 2);
  t.ok(Math.abs(yes - 0.75) < 1e-12 && Math.abs(no - 0.25) < 1e-12);
  t.end();
});

t.test('probabilities stay unchanged; one with two labels is the second label', (t) => {
  t.same(scoresToConfidences(Float32Array.from([0.25, 0.75]), 'probabilities', 2), [0.25, 0.75]);
  t.same(scoresToConfidences([0.25], 'probabilities', 2), [0.75, 0.25]);
  t.end();
});

t.test('an incorrect number of scores, or a score that is not finite, is a ModelError', (t) => {
  t.throws(() => scoresToConfidences([1, 2, 3], 'softmax', 2), ModelError);
  t.throws(() => scoresToConfidences([1], 'softmax', 2), ModelError);
  t.throws(() => scoresToConfidences([1, Number.NaN], 'softmax', 2), ModelError);
  t.end();
});

t.test('predictions are sorted by confidence, equal ones in the order of the labels', (t) => {
  t.same(confidencesToPredictions([0.2, 0.4, 0.4], ['a', 'b', 'c']), [
    { category: 'b', confidence: 0.4 },
    { category: 'c', confidence: 0.4 },
    { category: 'a', confidence: 0.2 },
  ]);
  t.end();
});

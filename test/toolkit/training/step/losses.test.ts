// Losses, their gradients and correct predictions in ONNX Runtime against recorded values of PyTorch.
import t from 'tap';
import { differentiate } from '../../../../src/toolkit/autodiff/differentiate.js';
import { GraphBuilder } from '../../../../src/toolkit/graph/builder.js';
import { GraphError } from '../../../../src/toolkit/graph/errors.js';
import type { Loss } from '../../../../src/toolkit/training/recipe/settings.js';
import { correctCount, crossEntropySum } from '../../../../src/toolkit/training/step/losses.js';
import { floats, largestDifference, largestOf } from '../../../helpers/gradient-check.js';
import { runGraph } from '../../../helpers/run-graph.js';
import { mulberry32, uniform } from '../../../helpers/seeded-values.js';
import { parts } from '../../../helpers/training-parts-fixture.js';

interface Evaluated {
  readonly loss: number;
  readonly correct: number;
  readonly gradient: Float64Array;
}

/** Sums over the rows of [rows, outputs] logits. */
async function evaluate(loss: Loss, logits: Float64Array, labels: readonly number[]): Promise<Evaluated> {
  const shape = [labels.length, logits.length / labels.length];
  const builder = new GraphBuilder('loss');
  const scores = builder.input('logits', shape);
  const answers = builder.input('labels', [labels.length], 'int64');
  builder.output(crossEntropySum(builder, scores, answers, loss), 'loss');
  builder.output(correctCount(builder, scores, answers, loss), 'correct');
  const { graph, gradients } = differentiate(builder.build(), 'loss', ['logits']);
  const extended = GraphBuilder.from(graph);
  for (const { name } of graph.outputs) extended.output(extended.value(name));
  extended.output(extended.value(gradients.get('logits')?.name ?? ''), 'gradient');
  const results = await runGraph(extended.build(), { logits, labels: BigInt64Array.from(labels, BigInt) });
  return {
    loss: Number(results.loss?.data[0]),
    correct: Number(results.correct?.data[0]),
    gradient: floats(results.gradient),
  };
}

for (const [smoothing, recorded] of Object.entries(parts.crossEntropy))
  t.test(`softmax cross-entropy with label smoothing ${smoothing} equals that of PyTorch`, async (t) => {
    const { labels } = parts;
    const logits = uniform(mulberry32(7), labels.length * 5, -8, 8);
    const { loss, gradient, correct } = await evaluate(
      { kind: 'softmax', labelSmoothing: Number(smoothing) },
      logits,
      labels,
    );
    const value = Math.abs(loss / labels.length / recorded.loss - 1);
    t.ok(value <= 3e-7, `value off by ${value.toExponential(1)}`);
    const mean = gradient.map((sum) => sum / labels.length);
    const error = largestDifference(mean, recorded.gradient) / largestOf(recorded.gradient);
    t.ok(error <= 1e-6, `gradient off by ${error.toExponential(1)}`);
    t.equal(correct, recorded.correct);
  });

for (const [label, recorded] of Object.entries(parts.binaryCrossEntropy))
  t.test(`sigmoid cross-entropy at label ${label} equals that of PyTorch, also far from zero`, async (t) => {
    for (const [i, logit] of parts.binaryLogits.entries()) {
      const { loss, gradient, correct } = await evaluate({ kind: 'sigmoid' }, Float64Array.of(logit), [
        Number(label),
      ]);
      const [value = 0, slope = 0] = [recorded.losses[i], recorded.gradient[i]];
      const error = Math.abs(loss - value) / Math.max(1, value);
      t.ok(error <= 1.5e-7, `logit ${logit}: value off by ${error.toExponential(1)}`);
      const off = largestDifference(gradient, [slope]);
      t.ok(off <= 1.5e-7, `logit ${logit}: gradient off by ${off.toExponential(1)}`);
      t.equal(correct, logit > 0 === (label === '1') ? 1 : 0, `logit ${logit}: the second label above 0`);
    }
  });

t.test('the sigmoid loss sums over a batch', async (t) => {
  const logits = Float64Array.from(parts.binaryLogits);
  const labels = parts.binaryLogits.map((_, i) => i % 2);
  const { loss, gradient, correct } = await evaluate({ kind: 'sigmoid' }, logits, labels);
  const recorded = labels.map((label) => parts.binaryCrossEntropy[label]);
  const expected = recorded.reduce((sum, values, i) => sum + (values?.losses[i] ?? Number.NaN), 0);
  t.ok(Math.abs(loss / expected - 1) <= 3e-7);
  const slopes = recorded.map((values, i) => values?.gradient[i] ?? Number.NaN);
  t.ok(largestDifference(gradient, slopes) <= 1.5e-7);
  t.equal(correct, labels.filter((label, i) => (logits[i] as number) > 0 === (label === 1)).length);
});

t.test('logits of an unexpected shape are refused, with both shapes', async (t) => {
  const graph = new GraphBuilder('refused');
  const labels = graph.input('labels', [2], 'int64');
  const wide = graph.input('wide', [2, 3]);
  const deep = graph.input('deep', [2, 3, 1]);
  t.throws(
    () => crossEntropySum(graph, wide, labels, { kind: 'sigmoid' }),
    new GraphError('wide: expected logits [N, 1] for a sigmoid, got [2, 3]'),
  );
  t.throws(
    () => correctCount(graph, deep, labels),
    new GraphError('deep: expected logits [N, labels], got [2, 3, 1]'),
  );
});

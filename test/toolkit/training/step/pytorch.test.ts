// mnist-cnn's loss, gradients and Adam steps in ONNX Runtime against recorded values of PyTorch.
import t from 'tap';
import { buildForward } from '../../../../src/toolkit/architectures/forward.js';
import { mnistCnn } from '../../../../src/toolkit/architectures/mnist-cnn.js';
import { toFloat32Array } from '../../../../src/toolkit/graph/tensor-data.js';
import { architectureNetwork } from '../../../../src/toolkit/training/step/network.js';
import { adam } from '../../../../src/toolkit/training/step/optimisers.js';
import { fromTensors, vectorToTensors } from '../../../../src/toolkit/training/step/parameters.js';
import { buildGradientStep } from '../../../../src/toolkit/training/step/step-graph.js';
import { createStepRunner, type StepState } from '../../../../src/toolkit/training/step/step-runner.js';
import { floats, largestDifference, largestOf } from '../../../helpers/gradient-check.js';
import {
  fixture,
  fixtureFeeds,
  fixtureParameters,
  type Sampled,
  sampleLike,
} from '../../../helpers/mnist-cnn-fixture.js';
import { runGraph } from '../../../helpers/run-graph.js';

const parameters = fixtureParameters();
const feeds = fixtureFeeds(parameters);
const parameter = fromTensors(parameters.tensors, 'fixture');
const precisions = ['float32', 'float64'] as const;

/** Largest difference by the largest value of each tensor. */
function errorsOf(expected: Readonly<Record<string, Sampled>>, flat: Float32Array): [string, number][] {
  const tensors = vectorToTensors(parameters.layout, flat);
  return Object.entries(expected).map(([name, recorded]) => {
    const tensor = tensors.get(name);
    const values = tensor ? sampleLike(recorded, toFloat32Array(tensor)) : [];
    return [name, largestDifference(values, recorded.values) / recorded.largest];
  });
}

t.test('loss and gradients equal those of PyTorch, tensor by tensor', async (t) => {
  const { graph } = buildGradientStep(
    buildForward(mnistCnn, { batch: fixture.batch, parameter }),
    parameters.layout,
  );
  for (const optimisations of ['disabled', 'all'] as const) {
    const { loss, gradient } = await runGraph(graph, feeds, optimisations);
    for (const precision of precisions) {
      const recorded = fixture[precision];
      const difference = Math.abs(Number(loss?.data[0]) / recorded.loss - 1);
      t.ok(difference <= 1e-6, `${precision}: loss off by ${difference.toExponential(1)}`);
      for (const [name, error] of errorsOf(recorded.gradients, Float32Array.from(floats(gradient))))
        t.ok(error <= 2e-5, `${precision}: gradient of ${name} off by ${error.toExponential(1)}`);
    }
  }
});

t.test('logits equal those of PyTorch', async (t) => {
  const { logits } = await runGraph(buildForward(mnistCnn, { batch: fixture.batch, parameter }), feeds);
  for (const precision of precisions) {
    const recorded = fixture[precision].logits;
    const error = largestDifference(floats(logits), recorded) / largestOf(recorded);
    t.ok(error <= 2e-6, `${precision}: off by ${error.toExponential(1)}`);
  }
});

t.test('twenty steps of Adam on one batch end with the values of PyTorch', async (t) => {
  const state: StepState = {
    step: 0,
    parameters: feeds.parameters,
    optimiser: [0, 1].map(() => new Float32Array(parameters.layout.length)),
  };
  const runner = await createStepRunner({
    network: architectureNetwork(mnistCnn, fromTensors(parameters.tensors, 'fixture')),
    optimiser: adam(),
    state,
    threads: 1,
  });
  const batch = { images: Float32Array.from(feeds.image), labels: feeds.labels, count: fixture.batch };
  const losses: number[] = [];
  for (const _ of fixture.float64.adam.losses) {
    const { lossSum } = await runner.step(batch, fixture.learningRate);
    losses.push(lossSum / fixture.batch);
  }
  const trained = runner.state().parameters;
  await runner.release();
  for (const precision of precisions) {
    const { adam } = fixture[precision];
    const error = largestDifference(losses, adam.losses);
    t.ok(error <= 2e-6, `${precision}: losses off by ${error.toExponential(1)}`);
    for (const [name, error] of errorsOf(adam.parameters, trained))
      t.ok(error <= 2e-5, `${precision}: ${name} off by ${error.toExponential(1)}`);
  }
});

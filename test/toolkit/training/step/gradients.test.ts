// Every architecture's loss and gradients, portable and blocked, against PyTorch's and against each other.
import t, { type Test } from 'tap';
import { buildForward } from '../../../../src/toolkit/architectures/forward.js';
import type { Architecture } from '../../../../src/toolkit/architectures/layers.js';
import { toFloat32Array } from '../../../../src/toolkit/graph/tensor-data.js';
import { probeBlockSize } from '../../../../src/toolkit/lowering/probe.js';
import { fromTensors, vectorToTensors } from '../../../../src/toolkit/training/step/parameters.js';
import { buildGradientStep } from '../../../../src/toolkit/training/step/step-graph.js';
import { architectures } from '../../../helpers/architectures.js';
import { floats, gradientTolerance, largestDifference, largestOf } from '../../../helpers/gradient-check.js';
import { fixtureBatch, netFeeds, netParameters, recordedNet } from '../../../helpers/gradient-fixture.js';
import { sampleLike } from '../../../helpers/mnist-cnn-fixture.js';
import { runGraph } from '../../../helpers/run-graph.js';

interface Answer {
  readonly loss: number;
  /** Of what is learned, by name. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

async function answer(architecture: Architecture, block: number | undefined): Promise<Answer> {
  const { seed } = recordedNet(architecture);
  const parameters = netParameters(architecture, seed);
  const parameter = fromTensors(parameters.tensors, 'fixture');
  const { graph, masks } = buildGradientStep(
    buildForward(architecture, { batch: fixtureBatch, parameter }),
    parameters.layout,
    block === undefined ? {} : { block },
  );
  const { loss, gradient } = await runGraph(graph, netFeeds(architecture, parameters, masks, seed), 'all');
  const tensors = vectorToTensors(parameters.layout, Float32Array.from(floats(gradient)));
  const learned = parameters.layout.entries.filter((entry) => entry.learned);
  return {
    loss: Number(loss?.data[0]),
    gradients: new Map(
      learned.map(({ name }) => {
        const tensor = tensors.get(name);
        return [name, tensor ? toFloat32Array(tensor) : new Float32Array()];
      }),
    ),
  };
}

const block = await probeBlockSize();

for (const architecture of architectures) {
  const recorded = recordedNet(architecture);

  const matchesRecorded = (t: Pick<Test, 'ok' | 'same'>, { loss, gradients }: Answer) => {
    const difference = Math.abs(loss / recorded.loss - 1);
    t.ok(difference <= 1e-6, `loss off by ${difference.toExponential(1)}`);
    t.same([...gradients.keys()], Object.keys(recorded.gradients), 'every parameter has a gradient');
    for (const [name, expected] of Object.entries(recorded.gradients)) {
      const values = sampleLike(expected, gradients.get(name) ?? new Float32Array());
      const error = largestDifference(values, expected.values) / expected.largest;
      t.ok(error <= gradientTolerance, `${name} off by ${error.toExponential(1)}`);
    }
  };

  t.test(`${architecture.name}: the loss and every gradient equal those of PyTorch`, async (t) => {
    const portable = await answer(architecture, undefined);
    matchesRecorded(t, portable);
    if (block === undefined) return;
    const blocked = await answer(architecture, block);
    matchesRecorded(t, blocked);
    for (const [name, expected] of portable.gradients) {
      const error = largestDifference(blocked.gradients.get(name) ?? [], expected) / largestOf(expected);
      t.ok(error <= gradientTolerance, `blocked against portable: ${name} off by ${error.toExponential(1)}`);
    }
  });
}

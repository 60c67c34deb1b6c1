// Networks from layers and from any graph: their trained parameters, for any batch.
import t from 'tap';
import { buildForward } from '../../../../src/toolkit/architectures/forward.js';
import { GraphBuilder } from '../../../../src/toolkit/graph/builder.js';
import { toFloat32Array } from '../../../../src/toolkit/graph/tensor-data.js';
import { glorotUniform } from '../../../../src/toolkit/training/step/initialisers.js';
import {
  architectureNetwork,
  graphNetwork,
  type Network,
} from '../../../../src/toolkit/training/step/network.js';
import { createOptimiser } from '../../../../src/toolkit/training/step/optimisers.js';
import {
  collectParameters,
  fromTensors,
  tensorsToVector,
  vectorToTensors,
} from '../../../../src/toolkit/training/step/parameters.js';
import { createStepRunner } from '../../../../src/toolkit/training/step/step-runner.js';
import { tinyArchitecture } from '../../../helpers/tiny-dataset.js';

const { tensors } = collectParameters(tinyArchitecture, glorotUniform(1));
const tinyGraph = buildForward(tinyArchitecture, { batch: 'N', parameter: fromTensors(tensors, 'tiny') });
const image = Float32Array.from({ length: 4 * 64 }, (_, i) => ((i * 37) % 101) / 101);
const batch = { images: image, labels: BigInt64Array.of(0n, 1n, 2n, 1n), count: 4 };

async function trained(network: Network): Promise<Float32Array> {
  const optimiser = createOptimiser({ kind: 'sgd' });
  const { layout } = network.parameters;
  const runner = await createStepRunner({
    network,
    optimiser,
    state: {
      step: 0,
      parameters: tensorsToVector(layout, network.parameters.tensors, 'start'),
      optimiser: [new Float32Array(layout.length)],
    },
    threads: 1,
  });
  await runner.step(batch, 0.1);
  await runner.step(batch, 0.1);
  const { parameters } = runner.state();
  await runner.release();
  return parameters;
}

t.test(
  'a graph with all initializers as parameters equals the architecture that it was built from',
  async (t) => {
    const whole = await trained(graphNetwork(tinyGraph, [...tensors.keys()]));
    t.same(whole, await trained(architectureNetwork(tinyArchitecture, glorotUniform(1))));
  },
);

t.test('only named parameters change, by the same steps', async (t) => {
  const last = [...tensors.keys()].slice(-2);
  const network = graphNetwork(tinyGraph, last);
  const moved = vectorToTensors(network.parameters.layout, await trained(network));
  t.same([...moved.keys()], last);
  for (const [name, data] of moved)
    t.notSame(toFloat32Array(data), toFloat32Array(tensors.get(name) ?? data), `${name} moved`);
  t.same(network.forward(7).outputs[0]?.type.shape, [7, 3]);
});

t.test('a graph with another input, or without a named parameter, is refused', async (t) => {
  const builder = new GraphBuilder('net');
  builder.output(builder.op('Relu', [builder.input('x', ['N', 3])]), 'logits');
  t.throws(() => graphNetwork(builder.build(), []), {
    name: 'GraphError',
    message: 'net: expected one input named image',
  });
  t.throws(() => graphNetwork(tinyGraph, ['nothing']), {
    name: 'GraphError',
    message: /has no parameter nothing/,
  });
});

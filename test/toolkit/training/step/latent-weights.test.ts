// Steps of a network of signs: latent weights stay within ±1, and the annealed gradient follows the run's progress.
import t from 'tap';
import type { SignGradient } from '../../../../src/toolkit/autodiff/sign-gradients.js';
import { signGradients } from '../../../../src/toolkit/autodiff/sign-gradients.js';
import { toFloat32Array } from '../../../../src/toolkit/graph/tensor-data.js';
import { glorotUniform } from '../../../../src/toolkit/training/step/initialisers.js';
import { architectureNetwork } from '../../../../src/toolkit/training/step/network.js';
import { adam } from '../../../../src/toolkit/training/step/optimisers.js';
import { tensorsToVector, vectorToTensors } from '../../../../src/toolkit/training/step/parameters.js';
import { createStepRunner } from '../../../../src/toolkit/training/step/step-runner.js';
import { tinyBinary } from '../../../helpers/binary-net.js';
import { mulberry32 } from '../../../helpers/seeded-values.js';

const count = 8;
const random = mulberry32(1);
const batch = {
  images: Float32Array.from({ length: count * 64 }, random),
  labels: BigInt64Array.from({ length: count }, (_, i) => BigInt(i % 3)),
  count,
};

async function stepped(gradient: SignGradient, learningRate: number, progress: readonly number[]) {
  const network = architectureNetwork(tinyBinary(gradient), glorotUniform(1));
  const { layout, tensors } = network.parameters;
  const zeros = () => new Float32Array(layout.length);
  const runner = await createStepRunner({
    network,
    optimiser: adam(),
    state: { step: 0, parameters: tensorsToVector(layout, tensors, 'start'), optimiser: [zeros(), zeros()] },
    threads: 1,
  });
  for (const part of progress) await runner.step(batch, learningRate, part);
  const state = runner.state().parameters;
  await runner.release();
  return { state, tensors: vectorToTensors(layout, state) };
}

t.test('latent weights stop at ±1, other weights continue', async (t) => {
  const { tensors } = await stepped('identity', 0.7, [0, 0, 0, 0, 0]);
  const largest = (name: string) => {
    const data = tensors.get(name);
    return data && Math.max(...toFloat32Array(data).map(Math.abs));
  };
  t.equal(largest('conv1.weight'), 1);
  t.equal(largest('dense1.weight'), 1);
  t.ok((largest('batchNorm1.scale') ?? 0) > 1, 'a norm’s scale');
});

for (const gradient of signGradients)
  t.test(
    `${gradient} ${gradient === 'annealed-tanh' ? 'depends' : 'does not depend'} on the progress of the run`,
    async (t) => {
      const [early, again, late] = [
        await stepped(gradient, 0.01, [0, 0]),
        await stepped(gradient, 0.01, [0, 0]),
        await stepped(gradient, 0.01, [0.9, 0.95]),
      ];
      t.same(early.state, again.state);
      if (gradient === 'annealed-tanh') t.notSame(late.state, early.state);
      else t.same(late.state, early.state);
    },
  );

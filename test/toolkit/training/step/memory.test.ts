// The memory of a runner's process after many steps equals that after a few.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { mnistCnn } from '../../../../src/toolkit/architectures/mnist-cnn.js';
import { glorotUniform } from '../../../../src/toolkit/training/step/initialisers.js';
import { architectureNetwork } from '../../../../src/toolkit/training/step/network.js';
import { adam } from '../../../../src/toolkit/training/step/optimisers.js';
import { tensorsToVector } from '../../../../src/toolkit/training/step/parameters.js';
import { createStepRunner } from '../../../../src/toolkit/training/step/step-runner.js';

const megabyte = 1e6;
const rounds = 60;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** After garbage collection, so that only what is held counts. */
async function residentMegabytes(): Promise<number> {
  collectGarbage();
  // Tensors give their memory back in finalizers, which run after this turn.
  await new Promise((resolve) => setTimeout(resolve, 20));
  collectGarbage();
  return process.memoryUsage.rss() / megabyte;
}

t.test('memory does not grow with steps, smaller batches or evaluations', async (t) => {
  const network = architectureNetwork(mnistCnn, glorotUniform(1));
  const { layout, tensors } = network.parameters;
  const vector = tensorsToVector(layout, tensors, 'initial');
  const runner = await createStepRunner({
    network,
    optimiser: adam(),
    threads: 1,
    state: {
      step: 0,
      parameters: vector,
      optimiser: [vector, vector].map(() => new Float32Array(vector.length)),
    },
  });
  const round = async () => {
    for (const count of [8, 5]) {
      const images = new Float32Array(count * 28 * 28).fill(0.5);
      const batch = { images, labels: new BigInt64Array(count), count };
      await runner.step(batch, 1e-4);
      await runner.evaluate(batch);
    }
  };
  for (let i = 0; i < 10; i++) await round();
  const before = await residentMegabytes();
  for (let i = 0; i < rounds; i++) await round();
  const grown = (await residentMegabytes()) - before;
  await runner.release();
  // Parameters and two moments leave each step: kept, they would be this much.
  const kept = (rounds * 2 * 3 * vector.byteLength) / megabyte;
  t.ok(
    grown < kept / 4,
    `grew by ${grown.toFixed(0)} MB; keeping each step's state would be ${kept.toFixed(0)} MB`,
  );
});

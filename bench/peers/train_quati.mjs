// Quati's training steps on the networks of bench/nets.mjs: a line of JSON in, a line of JSON out, as train_pytorch.py.
import { createInterface } from 'node:readline';
import { probeBlockSize } from '../../dist/toolkit/lowering/probe.js';
import { glorotUniform } from '../../dist/toolkit/training/step/initialisers.js';
import { architectureNetwork } from '../../dist/toolkit/training/step/network.js';
import { createOptimiser } from '../../dist/toolkit/training/step/optimisers.js';
import { tensorsToVector } from '../../dist/toolkit/training/step/parameters.js';
import { createStepRunner } from '../../dist/toolkit/training/step/step-runner.js';
import { nets } from '../nets.mjs';

const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
const block = await probeBlockSize();
say({ block });

let known;
for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  known ??= await createStepper(question);
  say({ imagesPerSecond: await known.measure(question), ...memory() });
}

function memory() {
  return { rss: process.memoryUsage().rss, peak: process.resourceUsage().maxRSS * 1024 };
}

async function createStepper({ net: name, batch, threads, portable }) {
  const net = nets.find((known) => known.name === name);
  const network = architectureNetwork(net, glorotUniform(1));
  const optimiser = createOptimiser({ kind: 'adam' });
  const { layout, tensors } = network.parameters;
  const flat = tensorsToVector(layout, tensors, name);
  const runner = await createStepRunner({
    network,
    optimiser,
    threads,
    block: portable ? undefined : block,
    state: {
      step: 0,
      parameters: flat,
      optimiser: optimiser.stateNames.map(() => new Float32Array(flat.length)),
    },
  });
  const whole = randomBatch(net.input, batch);
  const last = randomBatch(net.input, Math.ceil(batch / 2));
  const step = (images) => runner.step(images, 0.001);
  await step(whole);
  return {
    /** Whole batches are measured; a smaller one and an evaluation end the round, as they end an epoch. */
    async measure({ seconds }) {
      const began = performance.now();
      let steps = 0;
      while (performance.now() - began < seconds * 1000) {
        await step(whole);
        steps += 1;
      }
      const speed = (steps * batch * 1000) / (performance.now() - began);
      await step(last);
      await runner.evaluate(whole);
      return speed;
    },
  };
}

function randomBatch({ channels, height, width }, count) {
  return {
    images: Float32Array.from({ length: count * channels * height * width }, Math.random),
    labels: BigInt64Array.from({ length: count }, (_, i) => BigInt(i % 10)),
    count,
  };
}

// Quati's training steps on the networks of bench/nets.ts: a line of JSON in, a line of JSON out, like train_pytorch.py.
import { createInterface } from 'node:readline';
import type { Architecture } from '#dist/toolkit/architectures/layers.js';
import { probeBlockSize } from '#dist/toolkit/lowering/probe.js';
import type { Batch } from '#dist/toolkit/training/batches/batches.js';
import { glorotUniform } from '#dist/toolkit/training/step/initialisers.js';
import { architectureNetwork } from '#dist/toolkit/training/step/network.js';
import { createOptimiser } from '#dist/toolkit/training/step/optimisers.js';
import { tensorsToVector } from '#dist/toolkit/training/step/parameters.js';
import { createStepRunner } from '#dist/toolkit/training/step/step-runner.js';
import { nets } from '../nets.js';
import type { Answer, Hello, Question } from './train-protocol.js';

/** @returns the images/s of one round. */
type Stepper = (question: Question) => Promise<number>;

const print = (answer: Hello | Answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
const block = await probeBlockSize();
print(block === undefined ? {} : { block });

let known: Stepper | undefined;
for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line) as Question;
  known ??= await createStepper(question);
  const imagesPerSecond = await known(question);
  const peak = process.resourceUsage().maxRSS * 1024;
  print({ imagesPerSecond, rss: process.memoryUsage().rss, peak });
}

/** Measures full batches. A smaller batch and an evaluation end the round, like an epoch. */
async function createStepper({ net: name, batch, threads, portable }: Question): Promise<Stepper> {
  const net = nets.find((known) => known.name === name);
  if (!net)
    throw new Error(
      `there is no network ${name}; the networks are ${nets.map(({ name }) => name).join(', ')}`,
    );
  const runner = await openStepRunner(net, threads, portable ? undefined : block);
  const whole = randomBatch(net, batch);
  const last = randomBatch(net, Math.ceil(batch / 2));
  const step = async (images: Batch) => await runner.step(images, 0.001);
  await step(whole);
  return async ({ seconds }) => {
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
  };
}

async function openStepRunner(net: Architecture, threads: number, block: number | undefined) {
  const network = architectureNetwork(net, glorotUniform(1));
  const optimiser = createOptimiser({ kind: 'adam' });
  const { layout, tensors } = network.parameters;
  const parameters = tensorsToVector(layout, tensors, net.name);
  const state = {
    step: 0,
    parameters,
    optimiser: optimiser.stateNames.map(() => new Float32Array(parameters.length)),
  };
  return await createStepRunner({ network, optimiser, threads, block, state });
}

function randomBatch({ input: { channels, height, width } }: Architecture, count: number): Batch {
  return {
    images: Float32Array.from({ length: count * channels * height * width }, Math.random),
    labels: BigInt64Array.from({ length: count }, (_, i) => BigInt(i % 10)),
    count,
  };
}

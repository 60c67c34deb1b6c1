// the inference pool without its threads: the same sessions on the caller's thread, as starting workers takes a while.
import type { Pool, PoolOptions } from '../../src/inference/pool.js';
import { openSession } from '../../src/inference/session.js';
import { createTensor, createTensorWriter, tensorLength } from '../../src/inference/tensor.js';

export function createLocalPool({ models, threads }: PoolOptions): Pool {
  return {
    threads,
    async run(key, images) {
      const model = models.find((candidate) => candidate.key === key);
      if (!model) throw new Error(`No model ${key}`);
      const length = tensorLength(model.input);
      const batch = createTensor(model.input, images.length);
      const write = createTensorWriter(model.input);
      for (const [i, pixels] of images.entries()) write(pixels, batch, i * length);
      const session = await openSession(model.file, { input: model.input });
      const scores = await session.run(batch, images.length);
      await session.release();
      const labels = scores.length / images.length;
      return images.map((_, i) => scores.subarray(i * labels, (i + 1) * labels));
    },
    close: async () => {},
  };
}

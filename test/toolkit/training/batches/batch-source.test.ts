// Batches in order from data threads: the same as without threads, no more than requested, and failures.
import t from 'tap';
import type { Augmentation } from '../../../../src/toolkit/augmentation/schema.js';
import { type Split, sharePixels } from '../../../../src/toolkit/datasets/dataset.js';
import {
  type BatchSource,
  type BatchSourceOptions,
  createBatchSource,
} from '../../../../src/toolkit/training/batches/batch-source.js';
import type { Batch } from '../../../../src/toolkit/training/batches/batches.js';
import { imagesOf } from '../../../../src/toolkit/training/batches/training-images.js';
import { runEpochs, startOfRun } from '../../../../src/toolkit/training/run/epochs.js';
import { tinyRecipe, tinySplit } from '../../../helpers/tiny-dataset.js';

const augmentation: Augmentation = { rotation: 15, zoom: 0.1, shift: 0.1, flip: true, cutout: { size: 2 } };
const split = tinySplit(50, 1);
const order = Uint32Array.from({ length: 45 }, (_, i) => (i * 7) % 50);
const options: BatchSourceOptions = {
  split,
  input: tinyRecipe.input,
  seed: 3,
  augmentation,
  batchSize: 8,
  threads: 1,
};

async function collect(source: BatchSource, epoch: number, first = 0): Promise<Batch[]> {
  const batches: Batch[] = [];
  for await (const batch of source.read(order, epoch, first)) batches.push(batch);
  return batches;
}

async function withSource<T>(given: Partial<BatchSourceOptions>, use: (source: BatchSource) => Promise<T>) {
  const source = createBatchSource({ ...options, ...given });
  try {
    return await use(source);
  } finally {
    await source.close();
  }
}

/** The third batch fails in the thread: an image that is not there has no pixels. */
const beyond = Uint32Array.from(order, (image, i) => (i === 20 ? 1000 : image));

const bytesOf = (batches: readonly Batch[]) =>
  batches.map(({ images, labels }) => [
    Buffer.from(images.buffer).toString('base64'),
    Buffer.from(labels.buffer).toString('base64'),
  ]);

t.test('batches have the same bits and order with 0, 1 and 2 threads', async (t) => {
  const [none, one, two] = await Promise.all(
    [0, 1, 2].map((threads) =>
      withSource({ threads, ahead: 3 }, async (source) => [
        ...(await collect(source, 0)),
        ...(await collect(source, 1, 2)),
      ]),
    ),
  );
  t.same(
    none?.map(({ count }) => count),
    [8, 8, 8, 8, 8, 5, 8, 8, 8, 5],
  );
  t.strictSame(bytesOf(one ?? []), bytesOf(none ?? []));
  t.strictSame(bytesOf(two ?? []), bytesOf(none ?? []));
  t.notSame(bytesOf(none?.slice(6) ?? []), bytesOf(none?.slice(2, 6) ?? []), 'another epoch, other images');
});

t.test('an image does not depend on the batch size', async (t) => {
  const images = async (batchSize: number) =>
    await withSource({ batchSize, threads: 0 }, async (source) =>
      (await collect(source, 0)).flatMap(({ images }) => [...images]),
    );
  t.strictSame(await images(8), await images(13));
});

t.test('one thread serves many requests in order', async (t) => {
  const source = createBatchSource({ ...options, split: sharePixels(split), ahead: 6 });
  t.teardown(() => source.close());
  const all = bytesOf(await collect(source, 0));

  t.strictSame(
    all,
    await withSource({ threads: 0 }, async (plain) => bytesOf(await collect(plain, 0))),
    'shared pixels are the same',
  );

  for await (const batch of source.read(order, 0, 0)) {
    t.strictSame(bytesOf([batch]), all.slice(0, 1));
    break;
  }
  t.strictSame(bytesOf(await collect(source, 0, 3)), all.slice(3), 'after a reader that left early');

  let seen = 0;
  const read = async () => {
    for await (const _ of source.read(beyond, 0, 0)) {
      seen += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await t.rejects(read(), { message: 'Augmentation: pixels: expected 64, got 0' });
  t.equal(seen, 2, 'what fails is thrown at its batch, not before');
  t.strictSame(bytesOf(await collect(source, 0)), all, 'and the thread goes on');
});

t.test('close ends requests in progress, and later requests fail', async (t) => {
  const source = createBatchSource({ ...options, ahead: 2 });
  const waiting = source.read(order, 0, 0).next();
  const outcome = waiting.then(
    () => 'made',
    () => 'ended',
  );
  await source.close();
  t.equal(await outcome, 'ended');
  await t.rejects(collect(source, 0), { message: 'the data threads are closed' });
});

t.test('pixels are copied once to shared memory', async (t) => {
  const shared = sharePixels(split);
  t.ok(shared.images.buffer instanceof SharedArrayBuffer);
  t.equal(sharePixels(shared).images, shared.images);
  t.strictSame([...shared.images], [...split.images]);
});

t.test('without augmentation, batches are made in the calling thread', async (t) => {
  const broken: Split = { ...split, images: split.images.subarray(0, 64) };
  await withSource({ augmentation: { rotation: 0 }, split: broken, threads: 2 }, async (source) => {
    await t.rejects(
      collect(source, 0),
      { name: 'RangeError' },
      'a class that does not survive between threads',
    );
  });
});

t.test('training gives the same losses with and without a data thread', async (t) => {
  const losses = async (dataThreads: number) => {
    const seen: number[] = [];
    const runner = {
      step: async ({ images }: Batch) => ({ lossSum: images.reduce((sum, x) => sum + x, 0), correct: 0 }),
      evaluate: async ({ images, labels }: Batch) => ({
        lossSum: images.reduce((sum, x) => sum + x, 0),
        answers: labels,
      }),
      state: () => ({ step: seen.length, parameters: new Float32Array(1), optimiser: [] }),
      layout: { entries: [], length: 1 },
      release: async () => undefined,
    };
    const recipe = { ...tinyRecipe, augmentation, epochs: 2 };
    const dataset = { name: 'tiny', labels: ['a', 'b', 'c'], train: split, test: split, sha256: 'none' };
    await runEpochs({
      recipe,
      images: imagesOf(dataset, recipe, dataThreads),
      runner,
      start: startOfRun,
      shouldStop: () => false,
      onStep: ({ stepLoss }) => seen.push(stepLoss),
      onCheckpoint: async () => undefined,
    });
    return seen;
  };
  const alone = await losses(0);
  t.equal(alone.length, 12);
  t.strictSame(await losses(1), alone);
});

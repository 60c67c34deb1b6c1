// Models and images → categories, the model for each request, and the models that are not ready.
import t from 'tap';
import { monotonicMs } from '../../src/inference/clock.js';
import {
  DeadlineExceededError,
  DrainingError,
  ModelNotFoundError,
  ModelNotReadyError,
  QueueFullError,
  UndecodableImageError,
} from '../../src/inference/errors.js';
import { unpackPng } from '../../src/inference/image/png.js';
import { createPipeline, type PipelineOptions } from '../../src/inference/pipeline.js';
import { brightnessConfidences, grayInput, writeFixtureModel } from '../helpers/fixture-model.js';
import { png, solidPng, truncatedPng } from '../helpers/images.js';
import { createLocalPool } from '../helpers/local-pool.js';

async function setUp(t: Tap, options: Partial<PipelineOptions> & Pick<PipelineOptions, 'models'>) {
  const pipeline = await createPipeline({ workers: 1, createPool: createLocalPool, ...options });
  t.teardown(() => pipeline.close());
  return pipeline;
}
type Tap = Pick<typeof t, 'teardown'>;

t.test('an image gets its category and the confidences of the model from worker threads', async (t) => {
  const models = t.testdir();
  await writeFixtureModel(models, { labels: ['night', 'dusk', 'day'] });
  const pipeline = await createPipeline({ models, workers: 1 });
  t.ok(pipeline.ready());
  const images = [0, 128, 255, 30].map((value) => solidPng(28, 28, value));
  const answers = await Promise.all(images.map((image) => pipeline.classify(image)));
  t.same(
    answers.map(({ predictions: [first] }) => first?.category),
    ['night', 'dusk', 'day', 'night'],
  );
  const [expected = 0] = brightnessConfidences(30, 3);
  t.ok(Math.abs((answers[3]?.predictions[0]?.confidence ?? 0) - expected) < 1e-5);
  t.same(answers[0]?.model, { name: 'brightness', version: 1, variant: 'float32' });
  await pipeline.close();
  await t.rejects(pipeline.classify(solidPng(28, 28, 0)), DrainingError);
});

t.test('without a name the default model serves, else the only one, else the fallback', async (t) => {
  const models = t.testdir();
  const image = solidPng(28, 28, 255);
  const answering = async (defaultModel?: string) =>
    (await (await setUp(t, { models, defaultModel, fallbackModel: 'cifar10' })).classify(image)).model.name;
  await t.rejects(answering(), {
    constructor: ModelNotFoundError,
    message: /no model cifar10; there are none/,
  });
  await writeFixtureModel(models, { name: 'mnist' });
  t.equal(await answering(), 'mnist');
  await writeFixtureModel(models, { name: 'pets' });
  await t.rejects(answering(), {
    constructor: ModelNotFoundError,
    message: 'The request names no model; there are mnist, pets',
  });
  t.equal(await answering('pets'), 'pets');
  await writeFixtureModel(models, { name: 'cifar10' });
  t.equal(await answering(), 'cifar10');
  t.equal(await answering('mnist'), 'mnist');
});

t.test('the highest version serves unless a request names another', async (t) => {
  const models = t.testdir();
  for (const version of [2, 10]) await writeFixtureModel(models, { version });
  const pipeline = await setUp(t, { models });
  const image = solidPng(28, 28, 255);
  t.equal((await pipeline.classify(image)).model.version, 10);
  t.equal((await pipeline.classify(image, { model: 'brightness', version: 2 })).model.version, 2);
  await t.rejects(pipeline.classify(image, { version: 3 }), {
    constructor: ModelNotFoundError,
    message: 'Model brightness has no version 3; it has 2, 10',
  });
  await t.rejects(pipeline.classify(image, { model: 'nothing' }), {
    constructor: ModelNotFoundError,
    message: 'There is no model nothing; there are brightness',
  });
});

t.test(
  'a model with changed golden confidences is not ready and reports the change; others serve',
  async (t) => {
    const models = t.testdir();
    await writeFixtureModel(models, { name: 'good' });
    await writeFixtureModel(models, {
      name: 'moved',
      change: (card) => ({
        ...card,
        golden: [{ file: 'golden/light.png', confidences: { float32: [0.5, 0.5] } }],
      }),
    });
    const pipeline = await setUp(t, { models });
    const image = solidPng(28, 28, 255);
    t.notOk(pipeline.ready());
    const reason =
      /golden\/light.png with float32: the confidence of dark changed from 0.5000 to 0.0\d+, allowed/;
    t.match(pipeline.models(), [
      { name: 'good', ready: true },
      { name: 'moved', ready: false, problem: reason },
    ]);
    await t.rejects(pipeline.classify(image, { model: 'moved' }), {
      constructor: ModelNotReadyError,
      message: reason,
    });
    t.equal((await pipeline.classify(image, { model: 'good' })).predictions[0]?.category, 'bright');
  },
);

t.test('golden images detect incorrect preprocessing', async (t) => {
  const models = t.testdir();
  await writeFixtureModel(models, {
    change: (card) => ({ ...card, input: { ...card.input, scale: 1 / 400 } }),
  });
  t.match((await setUp(t, { models })).models(), [{ ready: false, problem: /changed from/ }]);
});

t.test('models with a card that contradicts the file are not ready', async (t) => {
  const models = t.testdir();
  await writeFixtureModel(models, {
    name: 'labels',
    change: (card) => ({ ...card, labels: ['a', 'b', 'c'], golden: [] }),
  });
  await writeFixtureModel(models, {
    name: 'size',
    change: (card) => ({ ...card, input: { ...card.input, width: 32 } }),
  });
  t.match((await setUp(t, { models })).models(), [
    { name: 'labels', ready: false, problem: /expected 3 scores, one per label, got 2/ },
    { name: 'size', ready: false, problem: /the card states 32, the model 28/ },
  ]);
});

t.test('without models the pipeline is not ready', async (t) => {
  t.notOk((await setUp(t, { models: t.testdir() })).ready());
});

t.test('an image that fails frees its place in the queue', async (t) => {
  const models = t.testdir();
  await writeFixtureModel(models);
  const pipeline = await setUp(t, { models, maxQueueImages: 1 });
  await t.rejects(pipeline.classify(truncatedPng()), UndecodableImageError);
  t.ok(await pipeline.classify(solidPng(28, 28, 0)));
});

t.test(
  'images beyond the queue limit are refused with the expected wait; accepted ones get results',
  async (t) => {
    const models = t.testdir();
    await writeFixtureModel(models);
    const pipeline = await setUp(t, { models, maxQueueImages: 2, maxBatch: 1 });
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => pipeline.classify(solidPng(28, 28, 0))));
    t.same(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'fulfilled', 'rejected'],
      'one runs, two wait',
    );
    const last = outcomes[3];
    t.ok(
      last?.status === 'rejected' && last.reason instanceof QueueFullError && last.reason.retryAfterMs > 0,
    );
  },
);

t.test('several images of a request get the raw scores of the model, as files and as tensors', async (t) => {
  const models = t.testdir();
  await writeFixtureModel(models, { labels: ['night', 'dusk', 'day'] });
  const pipeline = await setUp(t, { models, maxQueueImages: 8 });
  const tensor = { tensor: new Float32Array(28 * 28).fill(1) };
  const { model, scores, timings } = await pipeline.infer([
    { bytes: solidPng(28, 28, 255) },
    tensor,
    { bytes: solidPng(28, 28, 0) },
  ]);
  t.same(model, { name: 'brightness', version: 1, variant: 'float32' });
  t.same(scores[1], scores[0]);
  // -40 (1 - c)² + 40 for the centres c of 0, ½ and 1
  t.ok([0, 30, 40].every((score, i) => Math.abs((scores[0]?.[i] ?? Number.NaN) - score) < 1e-3));
  t.equal(timings.length, 3);
  await t.rejects(pipeline.infer(Array.from({ length: 9 }, () => tensor)), QueueFullError);
  t.same(pipeline.waiting(), [], 'all of a request or none of it');
  await t.rejects(pipeline.infer([tensor, { bytes: truncatedPng() }]), UndecodableImageError);
  await t.rejects(pipeline.infer([{ tensor: new Float32Array(3) }]), {
    message: /expected 1 x 28 x 28 = 784 values, got 3/,
  });
});

t.test("a preview is a PNG of the model's view of the image", async (t) => {
  const models = t.testdir();
  await writeFixtureModel(models, { input: { ...grayInput, polarity: 'auto' } });
  const pipeline = await setUp(t, { models });
  const paper = new Uint8Array(56 * 28).fill(200).fill(20, 56 * 14, 56 * 14 + 8);
  const picture = unpackPng(await pipeline.preview(png(56, 28, 1, paper)), grayInput);
  t.equal(picture?.[0], 0, 'padded');
  t.equal(picture?.[18 * 28], 55, 'inverted');
  await t.rejects(pipeline.preview(truncatedPng()), UndecodableImageError);
});

t.test('a deadline that passes during decoding, and a disconnected client, end the wait', async (t) => {
  const models = t.testdir();
  await writeFixtureModel(models);
  const pipeline = await setUp(t, { models });
  const image = solidPng(28, 28, 0);
  await t.rejects(pipeline.classify(image, { deadline: monotonicMs() }), DeadlineExceededError);
  const signal = AbortSignal.abort(new Error('client gone'));
  await t.rejects(pipeline.classify(image, { signal }), { message: 'client gone' });
});

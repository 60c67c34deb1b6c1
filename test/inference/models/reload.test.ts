// A models folder that changes while its models serve → the models that serve next, the refused ones, and the freed memory.
import { appendFile, cp, mkdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { ModelNotFoundError, ModelNotReadyError } from '../../../src/inference/errors.js';
import { createPipeline } from '../../../src/inference/pipeline.js';
import type { Pool, PoolOptions } from '../../../src/inference/workers/pool.js';
import { type FixtureModel, writeFixtureModel } from '../../helpers/fixture-model.js';
import { solidPng } from '../../helpers/images.js';
import { createLocalPool } from '../../helpers/local-pool.js';
import { projectFolder } from '../../helpers/project.js';

const bright = solidPng(28, 28, 255);
const moved: FixtureModel['change'] = (card) => ({
  ...card,
  golden: [{ file: 'golden/light.png', confidences: { float32: [0.5, 0.5] } }],
});

/** A pipeline for a folder with one model, a function that adds a version at once, and the number of open pools. */
async function setUp(
  t: Pick<Tap, 'testdir' | 'teardown'>,
  first: FixtureModel = {},
  hold?: () => Promise<void>,
) {
  const root = t.testdir({ models: {}, staging: {} });
  const models = join(root, 'models');
  const pools = { started: 0, open: 0 };
  async function put(model: FixtureModel): Promise<void> {
    const { name = 'brightness', version = 1 } = model;
    const [from, to] = [
      await writeFixtureModel(join(root, 'staging'), model),
      join(models, name, String(version)),
    ];
    await mkdir(join(models, name), { recursive: true });
    await rm(to, { recursive: true, force: true });
    await rename(from, to);
  }
  function createPool(options: PoolOptions): Pool {
    const pool = createLocalPool(options);
    pools.started++;
    pools.open++;
    return {
      ...pool,
      take() {
        const run = pool.take();
        return async (key, images) => {
          await hold?.();
          return (await run?.(key, images)) ?? [];
        };
      },
      async close() {
        await pool.close();
        pools.open--;
      },
    };
  }
  await put(first);
  const pipeline = await createPipeline({ models, workers: 1, createPool });
  t.teardown(() => pipeline.close());
  const ask = async (version?: number) => {
    const { predictions, model } = await pipeline.classify(bright, { version });
    return `${predictions[0]?.category} of ${model.version}`;
  };
  return { models, pools, put, pipeline, ask };
}
type Tap = typeof t;

t.test('a new version is loaded and checked, then serves; the previous version stays', async (t) => {
  const { pipeline, put, ask, pools } = await setUp(t);
  await put({ version: 2, labels: ['night', 'day'] });
  t.equal(await ask(), 'bright of 1', 'nothing changes before it is looked for');
  t.match(await pipeline.reload(), { changed: [{ version: 2, served: true, ready: true }], removed: [] });
  t.equal(await ask(), 'day of 2');
  t.equal(await ask(1), 'bright of 1');
  await put({ name: 'other' });
  t.match(await pipeline.reload(), { changed: [{ name: 'other', version: 1, ready: true }] });
  t.equal((await pipeline.classify(bright, { model: 'other' })).model.name, 'other');
  await nextTurn();
  t.same(pools, { started: 3, open: 1 }, 'what was replaced is closed');
});

t.test(
  'a version that fails its checks is refused, the previous one serves, and the status has the reason',
  async (t) => {
    const { pipeline, put, ask, pools, models } = await setUp(t);
    await put({ version: 2, change: moved });
    t.match(await pipeline.reload(), {
      changed: [
        { version: 2, served: false, ready: false, problem: /light.png with float32: the confidence of/ },
      ],
    });
    t.equal(await ask(), 'bright of 1');
    t.ok(pipeline.ready());
    await t.rejects(ask(2), { constructor: ModelNotReadyError, message: /the confidence of dark changed/ });
    t.equal(pools.open, 1);
    await put({ version: 3 });
    await writeFile(join(models, 'brightness/3/float32.onnx'), 'x');
    t.match(await pipeline.reload(), { changed: [{ version: 3, problem: /expected \d+ bytes, got 1/ }] });
    t.equal(await ask(), 'bright of 1');
    const { started } = pools;
    t.same(await pipeline.reload(), { changed: [], removed: [] });
    t.equal(pools.started, started, 'and is not tried again as long as it is as it was');
    await put({ version: 2, labels: ['night', 'day'] });
    await pipeline.reload();
    t.equal(await ask(), 'day of 2', 'a repaired one serves');
  },
);

t.test(
  'a replaced version folder serves at once; if the new one is damaged, the previous content serves',
  async (t) => {
    const { pipeline, put, ask, pools } = await setUp(t, { variants: ['float32', 'int8'] });
    await put({ labels: ['night', 'day'], variants: ['float32', 'int8'] });
    await pipeline.reload();
    t.equal(await ask(), 'day of 1');
    await put({ labels: ['never', 'ever'], change: moved });
    const { changed } = await pipeline.reload();
    t.match(changed, [{ version: 1, ready: true, served: true, refused: /the confidence of never changed/ }]);
    t.equal(await ask(), 'day of 1');
    t.ok(pipeline.ready());
    await put({ name: 'other', labels: ['a', 'b'] });
    await pipeline.reload();
    t.equal((await pipeline.classify(bright, { model: 'other' })).predictions[0]?.category, 'b');
    t.equal((await pipeline.classify(bright, { model: 'brightness' })).predictions[0]?.category, 'day');
    await nextTurn();
    t.equal(pools.open, 2, 'the old one stays open where it was');
    await put({ labels: ['dusk', 'dawn'], variants: ['float32', 'int8'] });
    await pipeline.reload();
    const { model, predictions } = await pipeline.classify(bright, { model: 'brightness', variant: 'int8' });
    t.equal(
      `${predictions[0]?.category} ${model.variant}`,
      'dawn int8',
      'variants that are opened on demand too',
    );
    t.match(pipeline.models()[0], { refused: undefined });
    await nextTurn();
    t.equal(pools.open, 1);
  },
);

t.test('a removed version finishes its accepted images, then its workers stop', async (t) => {
  let release = () => {};
  let held: Promise<void> | undefined;
  const { pipeline, put, ask, pools, models } = await setUp(t, {}, async () => held);
  await put({ version: 2, labels: ['night', 'day'] });
  await pipeline.reload();
  held = new Promise((resolve) => {
    release = resolve;
  });
  const [running, waiting] = [ask(), ask()];
  await rm(join(models, 'brightness/2'), { recursive: true });
  const before = held;
  held = undefined;
  t.match(await pipeline.reload(), { changed: [], removed: [{ version: 2 }] });
  t.equal(pools.open, 2);
  const after = ask();
  await t.rejects(ask(2), ModelNotFoundError);
  release();
  await before;
  t.same(await Promise.all([running, waiting, after]), ['day of 2', 'day of 2', 'bright of 1']);
  await nextTurn();
  t.equal(pools.open, 1);
  await rm(join(models, 'brightness'), { recursive: true });
  await pipeline.reload();
  await t.rejects(ask(), ModelNotFoundError);
  await nextTurn();
  t.equal(pools.open, 0);
});

t.test('a folder that is touched or copied over itself starts no worker', async (t) => {
  const { pipeline, pools, models } = await setUp(t);
  const now = new Date();
  await utimes(join(models, 'brightness/1/card.json'), now, now);
  t.same(await pipeline.reload(), { changed: [], removed: [] });
  await cp(join(models, 'brightness/1'), join(models, 'copy'), { recursive: true });
  await rm(join(models, 'brightness/1'), { recursive: true });
  await rename(join(models, 'copy'), join(models, 'brightness/1'));
  t.same(await pipeline.reload(), { changed: [], removed: [] });
  await appendFile(join(models, 'brightness/1/card.json'), '\n');
  t.same(await pipeline.reload(), { changed: [], removed: [] });
  t.equal(pools.started, 1);
});

t.test('a folder that cannot be read is an error, and all models continue to serve', async (t) => {
  const { pipeline, models, ask } = await setUp(t);
  await rename(models, `${models}.aside`);
  await writeFile(models, 'no folder');
  await t.rejects(pipeline.reload(), { name: 'CardError', cause: { code: 'ENOTDIR' } });
  t.equal(await ask(), 'bright of 1');
  await rm(models);
  await rename(`${models}.aside`, models);
  t.same(await pipeline.reload(), { changed: [], removed: [] });
});

t.test('added and removed models leave no memory and no thread behind', async (t) => {
  const root = t.testdir({ models: {} });
  const [models, mnist] = [join(root, 'models'), join(projectFolder, 'models/mnist/1')];
  await cp(mnist, join(models, 'mnist/1'), { recursive: true });
  await cp(mnist, join(root, 'aside'), { recursive: true });
  const pipeline = await createPipeline({ models, workers: 1 });
  t.teardown(() => pipeline.close());
  const reloadTimes = async (times: number) => {
    for (let i = 0; i < times; i++) {
      await rename(join(root, 'aside'), join(models, 'mnist/2'));
      t.match((await pipeline.reload()).changed, [{ version: 2, ready: true }]);
      await rename(join(models, 'mnist/2'), join(root, 'aside'));
      t.match((await pipeline.reload()).removed, [{ version: 2 }]);
    }
    return process.memoryUsage.rss() / 1e6;
  };
  const early = await reloadTimes(2);
  const late = await reloadTimes(5);
  // A worker and its session take 25 MB: ten leaked workers would be 250 MB.
  t.ok(late - early < 40, `${early.toFixed()} → ${late.toFixed()} MB`);
});

// A folder that changes → one call per change, once the folder is stable.
import { appendFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { watchFolder } from '../../../src/inference/models/watching.js';
import { writeFixtureModel } from '../../helpers/fixture-model.js';

const everyMs = 20;

function watch(t: { teardown(done: () => void): void }, models: string, onChange?: () => Promise<void>) {
  const seen = { changes: 0, errors: [] as string[] };
  const end = watchFolder(models, {
    everyMs,
    async onChange() {
      seen.changes++;
      await onChange?.();
    },
    onError: (error) => seen.errors.push(error.message),
  });
  t.teardown(end);
  const until = async (changes: number) => {
    for (let i = 0; seen.changes < changes && i < 250; i++) await sleep(everyMs);
    await sleep(5 * everyMs);
    return seen.changes;
  };
  return { seen, until, end };
}

t.test('an added, changed or removed version gives one call; other files give none', async (t) => {
  const models = t.testdir();
  const folder = await writeFixtureModel(models);
  const { seen, until, end } = watch(t, models);
  t.equal(await until(1), 1, 'what is there at first');
  await rename(await writeFixtureModel(join(models, '.staging')), join(models, 'brightness', '2'));
  t.equal(await until(2), 2);
  await writeFile(join(folder, 'golden', 'dark.png'), '');
  t.equal(await until(3), 3);
  await rm(folder, { recursive: true });
  t.equal(await until(4), 4);
  await mkdir(join(models, 'brightness', '3.tmp'));
  await writeFile(join(models, 'README.md'), '');
  await sleep(10 * everyMs);
  t.equal(seen.changes, 4);
  end();
  await rm(models, { recursive: true });
  await sleep(10 * everyMs);
  t.equal(seen.changes, 4);
});

t.test('a folder that is still being written gives no call until it is stable', async (t) => {
  const models = t.testdir();
  const folder = await writeFixtureModel(models);
  const { until, seen } = watch(t, models);
  await until(1);
  for (let i = 0; i < 20; i++) {
    await appendFile(join(folder, 'float32.onnx'), 'more');
    await sleep(everyMs / 2);
  }
  t.ok(seen.changes <= 2, `${seen.changes} changes`);
  t.ok((await until(2)) >= 2);
});

t.test(
  'a folder that cannot be read, or a change that cannot be loaded, is reported and tried again',
  async (t) => {
    const models = join(t.testdir({ file: '' }), 'file');
    const { seen } = watch(t, models);
    while (seen.errors.length < 2) await sleep(everyMs);
    t.match(seen.errors[0], /ENOTDIR/);
    const good = t.testdir();
    await writeFixtureModel(good);
    let fails = 2;
    const failing = watch(t, good, async () => {
      if (fails-- > 0) throw new Error('not now');
    });
    t.equal(await failing.until(3), 3);
    t.same(failing.seen.errors, ['not now', 'not now']);
  },
);

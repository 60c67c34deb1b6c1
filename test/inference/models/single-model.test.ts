// The folders that KServe's storage initialiser writes to /mnt/models, and a folder of several models → the served models.
import { cp, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { readRepository } from '../../../src/inference/models/repository.js';
import { writeFixtureModel } from '../../helpers/fixture-model.js';

async function keysOf(folder: string): Promise<string[]> {
  const { stored, failed } = await readRepository(folder);
  t.same(failed, []);
  return stored.map(({ key }) => key);
}

t.test('a folder with a card is version 1 of that model', async (t) => {
  const models = t.testdir();
  await writeFixtureModel(models, { version: 3 });
  const { stored } = await readRepository(join(models, 'brightness', '3'));
  t.match(stored, [{ key: 'brightness/1', file: join(models, 'brightness', '3', 'float32.onnx') }]);
});

t.test('a folder of versions is one model, whatever the folder is called', async (t) => {
  const models = t.testdir();
  for (const version of [2, 10]) await writeFixtureModel(models, { version });
  await mkdir(join(models, 'mnt'));
  await rename(join(models, 'brightness'), join(models, 'mnt', 'models'));
  t.same(await keysOf(join(models, 'mnt', 'models')), ['brightness/2', 'brightness/10']);
});

t.test('a damaged version reports its reason and does not affect the others', async (t) => {
  const models = t.testdir();
  for (const version of [1, 2, 3]) await writeFixtureModel(models, { version });
  await writeFile(join(models, 'brightness', '2', 'float32.onnx'), 'damaged');
  await rm(join(models, 'brightness', '3', 'card.json'));
  const { stored, failed } = await readRepository(join(models, 'brightness'));
  t.same(
    stored.map(({ key }) => key),
    ['brightness/1'],
  );
  t.match(failed, [
    { key: 'brightness/2', problem: /expected \d+ bytes/ },
    { key: 'brightness/3', problem: /cannot be read: ENOENT/ },
  ]);
});

t.test('folders with numbers as names can be models', async (t) => {
  const models = t.testdir();
  await writeFixtureModel(models, { name: '7' });
  await writeFixtureModel(models, { name: 'mnist' });
  t.same(await keysOf(models), ['7/1', 'mnist/1']);
  await cp(join(models, '7'), join(models, '8'), { recursive: true });
  t.match((await readRepository(models)).failed, [{ problem: /the card is for the model 7/ }]);
});

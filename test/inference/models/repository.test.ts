// folders of models → what is stored, which variant serves, and why a damaged version isn't.
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { readRepository } from '../../../src/inference/models/repository.js';
import { writeFixtureModel } from '../../helpers/fixture-model.js';

t.test('every version is read, in order of its number; other folders are left alone', async (t) => {
  const models = t.testdir({ README: 'text', drafts: { notes: {} } });
  for (const version of [10, 9]) await writeFixtureModel(models, { version });
  await writeFixtureModel(models, { name: 'another' });
  const { stored, failed } = await readRepository(models);
  t.same(
    stored.map(({ key }) => key),
    ['another/1', 'brightness/9', 'brightness/10'],
  );
  t.same(failed, []);
});

t.test(
  'links to folders are followed; lost+found and links that lead nowhere are not looked into',
  async (t) => {
    const root = t.testdir({ elsewhere: {}, models: {} });
    const [models, elsewhere] = [join(root, 'models'), join(root, 'elsewhere')];
    await writeFixtureModel(elsewhere, { name: 'linked' });
    await symlink(join(elsewhere, 'linked'), join(models, 'linked'));
    await symlink(join(elsewhere, 'nothing'), join(models, 'nothing'));
    await mkdir(join(models, 'lost+found', '1'), { recursive: true });
    const { stored, failed } = await readRepository(models);
    t.same(
      stored.map(({ key }) => key),
      ['linked/1'],
    );
    t.same(failed, []);
  },
);

t.test('a folder that does not exist holds no models', async (t) => {
  t.same(await readRepository(join(t.testdir(), 'none')), { stored: [], failed: [] });
});

t.test("the card's default variant serves unless another is asked for and there", async (t) => {
  const models = t.testdir();
  await writeFixtureModel(models, { variants: ['float32', 'int8'], defaultVariant: 'int8' });
  const served = async (variant?: 'float32' | 'binary') =>
    (await readRepository(models, { variant })).stored[0];
  t.match(await served(), { variant: 'int8', variantReason: "int8 is the card's default" });
  t.match(await served('float32'), { variant: 'float32', variantReason: 'float32 was asked for' });
  t.match(await served('binary'), {
    variant: 'int8',
    variantReason: "binary was asked for, but there is none: int8 is the card's default",
  });
});

t.test('a damaged version fails with its reason, and the others are stored', async (t) => {
  const models = t.testdir();
  await writeFixtureModel(models, { name: 'whole' });
  const sameLength = await writeFixtureModel(models, { name: 'altered' });
  const file = join(sameLength, 'float32.onnx');
  const { size } = await import('node:fs').then(({ statSync }) => statSync(file));
  await writeFile(file, Buffer.alloc(size));
  await writeFile(join(await writeFixtureModel(models, { name: 'short' }), 'float32.onnx'), 'x');
  await rm(join(await writeFixtureModel(models, { name: 'gone' }), 'float32.onnx'));
  await writeFile(join(await writeFixtureModel(models, { name: 'garbled' }), 'card.json'), '{');
  await writeFixtureModel(models, { name: 'moved', change: (card) => ({ ...card, name: 'other' }) });
  await writeFixtureModel(models, { name: 'untitled', change: ({ title: _, ...card }) => card });
  const { stored, failed } = await readRepository(models);
  t.same(
    stored.map(({ name }) => name),
    ['whole'],
  );
  const problems = Object.fromEntries(failed.map(({ name, problem }) => [name, problem]));
  t.match(problems, {
    altered: /altered\/1\/float32.onnx: expected sha256 \w{64}, got \w{64}/,
    short: /short\/1\/float32.onnx: expected \d+ bytes, got 1/,
    gone: /gone\/1\/float32.onnx: this variant can't be read: ENOENT/,
    garbled: /garbled\/1\/card.json: cannot be read as JSON/,
    moved: /moved\/1\/card.json: the card is that of other/,
    untitled: /must have required properties title/,
  });
});

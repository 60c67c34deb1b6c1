// Folders of models → the stored versions, the served variant of each, and the problem of a damaged version.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, chmod, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { Card } from '../../../src/inference/models/card.js';
import { readRepository } from '../../../src/inference/models/repository.js';
import { writeFixtureModel } from '../../helpers/fixture-model.js';

t.test('every version is read, sorted by number; other folders are ignored', async (t) => {
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

t.test('links to folders are followed; lost+found and broken links are ignored', async (t) => {
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
});

t.test('a folder that does not exist holds no models', async (t) => {
  t.same(await readRepository(join(t.testdir(), 'none')), { stored: [], failed: [] });
});

t.test("the card's default variant serves, unless a requested variant exists", async (t) => {
  const models = t.testdir();
  await writeFixtureModel(models, { variants: ['float32', 'int8'], defaultVariant: 'int8' });
  const served = async (variant?: 'float32' | 'binary') =>
    (await readRepository(models, { variant })).stored[0];
  t.match(await served(), { variant: 'int8', variantReason: "int8 is the card's default" });
  t.match(await served('float32'), { variant: 'float32', variantReason: 'float32 was requested' });
  t.match(await served('binary'), {
    variant: 'int8',
    variantReason: "binary was requested, but the card does not have it: int8 is the card's default",
  });
});

t.test('a damaged version has its reason, and the others are stored', async (t) => {
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
    gone: /gone\/1\/float32.onnx: cannot be read: ENOENT/,
    garbled: /garbled\/1\/card.json: cannot be read as JSON/,
    moved: /moved\/1\/card.json: the card is for the model other/,
    untitled: /must have required properties title/,
  });
});

t.test('a version with a pipe, device or folder in the place of a file is not ready', async (t) => {
  const models = t.testdir();
  await writeFixtureModel(models, { name: 'good' });
  const broken: Record<string, (folder: string) => Promise<unknown>> = {
    pipe: (folder) => replaceBy(join(folder, 'card.json'), (file) => execFileSync('mkfifo', [file])),
    device: (folder) => replaceBy(join(folder, 'float32.onnx'), (file) => symlink('/dev/zero', file)),
    directory: (folder) => replaceBy(join(folder, 'float32.onnx'), (file) => mkdir(file)),
    larger: (folder) => appendFile(join(folder, 'float32.onnx'), 'x'),
    loop: (folder) => replaceBy(folder, (file) => symlink(file, file)),
  };
  for (const [name, spoil] of Object.entries(broken)) await spoil(await writeFixtureModel(models, { name }));
  const { stored, failed } = await readRepository(models);
  t.same(
    stored.map(({ key }) => key),
    ['good/1'],
  );
  t.match(Object.fromEntries(failed.map(({ name, problem }) => [name, problem])), {
    pipe: /pipe\/1\/card\.json: is not a regular file$/,
    device: /device\/1\/float32\.onnx: is not a regular file$/,
    directory: /directory\/1\/float32\.onnx: is not a regular file$/,
    larger: /larger\/1\/float32\.onnx: expected \d+ bytes, got \d+$/,
    loop: /loop\/1: cannot be read: ELOOP/,
  });
});

t.test('a file with the name golden is part of the fingerprint and not an error', async (t) => {
  const models = t.testdir();
  const folder = await writeFixtureModel(models);
  await replaceBy(join(folder, 'golden'), (file) => writeFile(file, 'text'));
  t.match(await readRepository(models), { stored: [{ key: 'brightness/1' }], failed: [] });
});

t.test(
  'a version or model without read permission does not affect the others',
  { skip: process.getuid?.() === 0 ? false : 'only root can make a folder that this test may not read' },
  async (t) => {
    const models = t.testdir();
    const folder = await writeFixtureModel(models, { name: 'hidden' });
    await writeFixtureModel(models, { name: 'open' });
    await chmod(folder, 0o700);
    await writeFixtureModel(models, { name: 'private' });
    await chmod(join(models, 'private'), 0o700);
    process.seteuid?.(65_534);
    t.teardown(() => process.seteuid?.(0));
    const { stored, failed } = await readRepository(models);
    process.seteuid?.(0);
    t.match(stored, [{ key: 'open/1' }]);
    t.match(failed, [
      { key: 'hidden/1', problem: /EACCES/ },
      { key: 'private/1', problem: /EACCES/ },
    ]);
  },
);

t.test(
  'a models folder that is a file, or that has no read permission, is an error with a reason',
  async (t) => {
    const root = t.testdir({ models: 'text' });
    await t.rejects(readRepository(join(root, 'models')), {
      name: 'CardError',
      message: /models: the models folder cannot be read: ENOTDIR/,
    });
  },
);

t.test('a model with weights in another file is refused, wherever the tensor is', async (t) => {
  const models = t.testdir();
  const tensor = message(field(1, [0]), field(14, [1]));
  const places = {
    initializer: field(5, tensor),
    constant: field(1, field(5, field(5, tensor))),
    subgraph: field(1, field(5, field(6, field(5, tensor)))),
  };
  for (const [name, content] of Object.entries(places))
    await appendToModel(await writeFixtureModel(models, { name }), field(7, content));
  const { failed } = await readRepository(models);
  t.equal(failed.length, 3);
  for (const { problem } of failed) t.match(problem, /some of its weights are in another file/);
});

/** Appends a field to the model; protobuf merges repeated fields. The card fits the longer file. */
async function appendToModel(folder: string, bytes: Uint8Array): Promise<void> {
  const file = join(folder, 'float32.onnx');
  await appendFile(file, bytes);
  const onnx = await readFile(file);
  const card = JSON.parse(await readFile(join(folder, 'card.json'), 'utf8')) as Card;
  const sha256 = createHash('sha256').update(onnx).digest('hex');
  const variants = { float32: { file: 'float32.onnx', bytes: onnx.length, sha256 } };
  await writeFile(join(folder, 'card.json'), JSON.stringify({ ...card, variants }));
}

/** Encodes a protobuf field with a length. */
function field(number: number, content: Iterable<number>): Uint8Array {
  const bytes = [...content];
  return Uint8Array.from(number === 14 ? [14 * 8, ...bytes] : [number * 8 + 2, bytes.length, ...bytes]);
}

function message(...fields: Uint8Array[]): Uint8Array {
  return Uint8Array.from(fields.flatMap((bytes) => [...bytes]));
}

async function replaceBy(file: string, make: (file: string) => unknown): Promise<void> {
  await rm(file, { recursive: true, force: true });
  await make(file);
}

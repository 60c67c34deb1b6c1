import { readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { runAugment } from '../../src/cli/augment.js';
import { decodeImage } from '../../src/inference/image/decode.js';
import { writeTinyDataset } from '../helpers/tiny-dataset.js';
import { fakeIo } from './fake-io.js';

const flags = { images: 4, variants: 5 };

t.test('a PNG with the given rows and columns is written, the same for the same seed', async (t) => {
  const root = t.testdir({});
  const data = await writeTinyDataset(path.join(root, 'data'), { side: 28 });
  const draw = async (name: string, seed: number) => {
    const io = fakeIo();
    const out = path.join(root, name);
    await runAugment('mnist-cnn', { ...flags, data, out, seed, rotation: 20 }, io);
    t.match(io.out(), /png: 4 images as mnist-cnn trains on them in 5 epochs/);
    return await readFile(out);
  };
  const one = await draw('one.png', 1);
  t.ok((await draw('again.png', 1)).equals(one));
  t.notOk((await draw('two.png', 2)).equals(one));
  const [width, height] = [6 * 86 + 2, 4 * 86 + 2];
  const contract = { width, height, channels: 'gray', fit: 'fill', kernel: 'linear' } as const;
  const picture = await decodeImage(
    one,
    { ...contract, scale: 1, mean: [0], std: [1] },
    { maxPixels: width * height },
  );
  t.match(picture, { width, height });
});

t.test('a recipe without augmentation is wrong use', async (t) => {
  await t.rejects(runAugment('mnist-cnn', { ...flags, out: 'x.png' }, fakeIo()), {
    name: 'WrongUseError',
    message: /mnist-cnn has no augmentation: set it by a flag/,
  });
});

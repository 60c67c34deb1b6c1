// A few pixels → the sheet that shows the originals and their augmented forms.
import t from 'tap';
import { createAugmenter } from '../../../src/toolkit/augmentation/augmentation.js';
import { drawContactSheet } from '../../../src/toolkit/augmentation/contact-sheet.js';
import { noise } from '../../helpers/images.js';

const split = { images: noise(3 * 42 * 20 * 3), width: 42, height: 20, channels: 3 };
const augmentation = { rotation: 30, shift: 0.2, flip: true };

t.test('one row per image: the original, then the image of each epoch; pixels are doubled', async (t) => {
  const options = { images: [2, 0], variants: 3, seed: 5 };
  const { width, height, pixels } = drawContactSheet(split, augmentation, options);
  t.same([width, height, pixels.length], [4 * 86 + 2, 2 * 42 + 2, (4 * 86 + 2) * (2 * 42 + 2) * 3]);
  const augment = createAugmenter(augmentation, split, 5);
  const size = 42 * 20 * 3;
  for (const [row, image] of options.images.entries()) {
    const original = split.images.subarray(image * size, (image + 1) * size);
    for (let column = 0; column < 4; column++) {
      const expected = column === 0 ? original : augment(original, column - 1, image);
      const shown = Uint8Array.from(expected, (_, i) => {
        const [channel, x, y] = [i % 3, Math.floor(i / 3) % 42, Math.floor(i / 3 / 42)];
        return pixels[((2 + row * 42 + 2 * y + 1) * width + 2 + column * 86 + 2 * x + 1) * 3 + channel] ?? -1;
      });
      t.strictSame(shown, Uint8Array.from(expected), `row ${row}, column ${column}`);
    }
  }
  t.same(
    [...pixels.subarray(0, width * 6)].every((value) => value === 128),
    true,
    'a gap around',
  );
});

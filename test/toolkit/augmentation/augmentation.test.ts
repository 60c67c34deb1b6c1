// One image + a transform → pixels, against an independent float64 reference; and the seeds.
import t from 'tap';
import { createAugmenter, isAugmenting } from '../../../src/toolkit/augmentation/augmentation.js';
import { type Fill, type ImageSize, paintSquare, warp } from '../../../src/toolkit/augmentation/pixels.js';
import { type Augmentation, completeAugmentation } from '../../../src/toolkit/augmentation/schema.js';
import {
  drawTransform,
  type Transform,
  transformToSource,
} from '../../../src/toolkit/augmentation/transform.js';
import { createRandom } from '../../../src/toolkit/random.js';
import { noise } from '../../helpers/images.js';
import { integerBetween, mulberry32, pick } from '../../helpers/seeded-values.js';

const still: Transform = {
  rotation: 0,
  zoom: 1,
  shiftX: 0,
  shiftY: 0,
  flip: false,
  cropX: 0,
  cropY: 0,
  cutout: undefined,
};
const size = { width: 5, height: 5, channels: 1 };

function noisy({ width, height, channels }: ImageSize, seed = 1): Uint8Array {
  return noise(width * height * channels, seed);
}

function warped(pixels: Uint8Array, of: ImageSize, change: Partial<Transform>, fill: Fill = 0): number[] {
  const out = new Uint8Array(pixels.length);
  warp(pixels, of, transformToSource({ ...still, ...change }, of), fill, out);
  return [...out];
}

/** The pixel at row y, column x of `pixels` after a move, or 0. */
function moved(pixels: Uint8Array, { width, height }: ImageSize, dx: number, dy: number): number[] {
  return Array.from(pixels, (_, i) => {
    const [x, y] = [(i % width) - dx, Math.floor(i / width) - dy];
    return x < 0 || y < 0 || x >= width || y >= height ? 0 : (pixels[y * width + x] ?? 0);
  });
}

type Matrix = readonly [number, number, number, number, number, number];
const product = ([a, b, c, d, e, f]: Matrix, [g, h, i, j, k, l]: Matrix): Matrix => [
  a * g + b * j,
  a * h + b * k,
  a * i + b * l + c,
  d * g + e * j,
  d * h + e * k,
  d * i + e * l + f,
];

/** The forward maps multiplied, inverted by Cramer's rule; v = Σ p[y, x] tri(x - sx) tri(y - sy), over a padded image. */
function reference(pixels: Uint8Array, of: ImageSize, change: Partial<Transform>, fill: Fill): Float64Array {
  const { width, height, channels } = of;
  const { rotation, zoom, shiftX, shiftY, flip } = { ...still, ...change };
  const angle = (rotation / 180) * Math.PI;
  const [cx, cy] = [(width - 1) / 2, (height - 1) / 2];
  const steps: Matrix[] = [
    [1, 0, shiftX + cx, 0, 1, shiftY + cy],
    [zoom, 0, 0, 0, zoom, 0],
    [Math.cos(angle), Math.sin(angle), 0, -Math.sin(angle), Math.cos(angle), 0],
    [flip ? -1 : 1, 0, 0, 0, 1, 0],
    [1, 0, -cx, 0, 1, -cy],
  ];
  const [a, b, c, d, e, f] = steps.reduce(product);
  const determinant = a * e - b * d;
  const pad = 3 * Math.max(width, height);
  const triangle = (x: number) => Math.max(0, 1 - Math.abs(x));
  return Float64Array.from({ length: pixels.length }, (_, i) => {
    const channel = i % channels;
    const [x, y] = [Math.floor(i / channels) % width, Math.floor(i / channels / width)];
    const sx = (e * (x - c) - b * (y - f)) / determinant;
    const sy = (a * (y - f) - d * (x - c)) / determinant;
    let value = 0;
    for (let v = -pad; v < height + pad; v++) {
      const weightY = triangle(v - sy);
      if (weightY === 0) continue;
      for (let u = -pad; u < width + pad; u++) {
        const inside = u >= 0 && v >= 0 && u < width && v < height;
        const [nearU, nearV] = [Math.min(Math.max(u, 0), width - 1), Math.min(Math.max(v, 0), height - 1)];
        const pixel = pixels[(nearV * width + nearU) * channels + channel] ?? 0;
        value += weightY * triangle(u - sx) * (inside || fill === 'edge' ? pixel : fill);
      }
    }
    return value;
  });
}

t.test('an empty configuration changes nothing, and isAugmenting returns false', async (t) => {
  const pixels = noisy(size);
  for (const config of [
    {},
    { rotation: 0, zoom: 0, flip: false, crop: { padding: 0 }, cutout: { size: 0 } },
  ]) {
    t.notOk(isAugmenting(config));
    const augment = createAugmenter(config, size, 1);
    for (let i = 0; i < 20; i++) t.strictSame(augment(pixels, 1, i), pixels);
  }
});

t.test('a flip mirrors left and right, and two flips give the original', async (t) => {
  const of = { width: 3, height: 2, channels: 3 };
  const pixels = Uint8Array.from({ length: 18 }, (_, i) => i);
  const once = warped(pixels, of, { flip: true });
  t.strictSame(once, [6, 7, 8, 3, 4, 5, 0, 1, 2, 15, 16, 17, 12, 13, 14, 9, 10, 11]);
  t.strictSame(warped(Uint8Array.from(once), of, { flip: true }), [...pixels]);
});

t.test(
  'a quarter turn of a square is a counter-clockwise permutation, and four give the original',
  async (t) => {
    for (const width of [4, 5]) {
      const of = { width, height: width, channels: 1 };
      const pixels = noisy(of);
      const turned = Array.from(
        pixels,
        (_, i) => pixels[(i % width) * width + width - 1 - Math.floor(i / width)],
      );
      t.strictSame(warped(pixels, of, { rotation: 90 }), turned);
      t.strictSame(warped(pixels, of, { rotation: -270 }), turned);
      let now = pixels;
      for (let turn = 0; turn < 4; turn++) now = Uint8Array.from(warped(now, of, { rotation: 90 }));
      t.strictSame(now, pixels);
    }
  },
);

t.test('a shift by whole pixels moves them, and the new pixels have the fill value', async (t) => {
  const pixels = noisy(size);
  t.strictSame(warped(pixels, size, { shiftX: 2, shiftY: -1 }), moved(pixels, size, 2, -1));
  const row = { width: 4, height: 1, channels: 1 };
  t.strictSame(warped(Uint8Array.of(10, 20, 30, 40), row, { shiftX: 2 }, 255), [255, 255, 10, 20]);
  t.strictSame(warped(Uint8Array.of(10, 20, 30, 40), row, { shiftX: -2 }, 'edge'), [30, 40, 40, 40]);
  t.strictSame(warped(Uint8Array.of(10, 20, 30, 40), row, { shiftX: 0.5 }), [5, 15, 25, 35]);
});

t.test(
  'a zoom of 1 changes nothing; at 3 the middle pixel covers the middle; at 1/3 the rest has the fill value',
  async (t) => {
    const of = { width: 3, height: 3, channels: 1 };
    const pixels = Uint8Array.of(0, 0, 0, 0, 90, 0, 0, 0, 0);
    t.strictSame(warped(pixels, of, { zoom: 1 }), [...pixels]);
    t.strictSame(warped(pixels, of, { zoom: 3 }), [40, 60, 40, 60, 90, 60, 40, 60, 40]);
    t.strictSame(warped(noisy(of), of, { zoom: 1 / 3 }, 7).filter((value) => value === 7).length, 8);
  },
);

t.test('every size, transform and border gives the rounded float64 reference', async (t) => {
  const random = mulberry32(7);
  const between = (low: number, high: number) => low + (high - low) * random();
  for (let i = 0; i < 60; i++) {
    const of = {
      width: integerBetween(random, 1, 9),
      height: integerBetween(random, 1, 9),
      channels: pick(random, [1, 3]),
    };
    const pixels = noisy(of, i);
    const change = {
      rotation: between(-180, 180),
      zoom: between(0.6, 1.6),
      shiftX: between(-2, 2),
      shiftY: between(-2, 2),
      flip: random() < 0.5,
    };
    const fill = pick<Fill>(random, [0, 128, 'edge']);
    const expected = reference(pixels, of, change, fill);
    const worst = warped(pixels, of, change, fill).reduce(
      (most, value, at) => Math.max(most, Math.abs(value - (expected[at] ?? 0))),
      0,
    );
    t.ok(worst <= 0.5 + 1e-9, `${JSON.stringify({ of, change, fill })}: ${worst}`);
  }
});

t.test('a crop moves by whole pixels, up to the padding; cutout covers its square', async (t) => {
  const pixels = noisy(size);
  const crop = createAugmenter({ crop: { padding: 2 } }, size, 3);
  const seen = new Set<string>();
  for (let i = 0; i < 300; i++) {
    const { cropX, cropY } = drawTransform(
      completeAugmentation({ crop: { padding: 2 } }),
      size,
      createRandom(3, 'augmentation', 0, i),
    );
    t.strictSame([...crop(pixels, 0, i)], moved(pixels, size, -cropX, -cropY));
    seen.add(`${cropX},${cropY}`);
  }
  t.equal(seen.size, 25, 'every offset comes up');
  const painted = new Uint8Array(25);
  paintSquare(painted, size, { x: 3, y: -1, side: 3 }, 9);
  t.strictSame(
    [...painted].flatMap((value, i) => (value === 9 ? [i] : [])),
    [3, 4, 8, 9],
  );
  paintSquare(painted, size, { x: 5, y: 0, side: 3 }, 8);
  t.notOk(painted.includes(8), 'a square beyond the border paints nothing');
});

const everything: Augmentation = {
  rotation: 20,
  zoom: 0.2,
  shift: 0.2,
  flip: true,
  crop: { padding: 1 },
  cutout: { size: 2 },
};

t.test('an augmented image depends only on seed, epoch and index, not on earlier images', async (t) => {
  const pixels = noisy(size);
  const first = createAugmenter(everything, size, 1);
  const inOrder = Array.from({ length: 30 }, (_, i) => [...first(pixels, 2, i)]);
  const again = createAugmenter(everything, size, 1);
  for (let i = 29; i >= 0; i--) t.strictSame([...again(pixels, 2, i)], inOrder[i]);
  const different = (other: number[][]) => other.filter((image, i) => `${image}` !== `${inOrder[i]}`).length;
  const seeded = createAugmenter(everything, size, 2);
  t.ok(different(inOrder.map((_, i) => [...seeded(pixels, 2, i)])) > 25, 'another seed');
  t.ok(different(inOrder.map((_, i) => [...again(pixels, 3, i)])) > 25, 'another epoch');
});

t.test('turning one kind on does not change the random values of the others', async (t) => {
  for (let i = 0; i < 20; i++) {
    const draw = (config: Augmentation) =>
      drawTransform(completeAugmentation(config), size, createRandom(1, i));
    const all = draw(everything);
    t.equal(draw({ rotation: 20 }).rotation, all.rotation);
    t.equal(draw({ shift: 0.2 }).shiftY, all.shiftY);
    t.strictSame(draw({ cutout: { size: 2 } }).cutout, all.cutout);
  }
});

t.test('amounts stay within the requested range, on both sides', async (t) => {
  const drawn = Array.from({ length: 2000 }, (_, i) =>
    drawTransform(completeAugmentation(everything), size, createRandom(5, i)),
  );
  const range = (of: (transform: Transform) => number) => {
    const values = drawn.map(of);
    return [Math.min(...values), Math.max(...values)] as const;
  };
  const covers = ([low, high]: readonly [number, number], from: number, to: number) =>
    low >= from && low < from + 0.01 * (to - from) && high <= to && high > to - 0.01 * (to - from);
  t.ok(
    covers(
      range(({ rotation }) => rotation),
      -20,
      20,
    ),
  );
  t.ok(
    covers(
      range(({ zoom }) => zoom),
      0.8,
      1.2,
    ),
  );
  t.ok(
    covers(
      range(({ shiftX }) => shiftX),
      -1,
      1,
    ),
  );
  const flips = drawn.filter(({ flip }) => flip).length;
  t.ok(flips > 900 && flips < 1100, `${flips} of 2000 are mirrored`);
});

t.test('no configuration changes its input', async (t) => {
  const random = mulberry32(3);
  for (let i = 0; i < 50; i++) {
    const maybe = <T>(value: T) => (random() < 0.5 ? value : undefined);
    const given = Object.entries({ ...everything, fill: pick<Fill>(random, [0, 'edge']) }).map(
      ([name, value]) => [name, maybe(value)] as const,
    );
    const config = Object.fromEntries(given.filter(([, value]) => value !== undefined)) as Augmentation;
    const pixels = noisy(size, i);
    const before = Uint8Array.from(pixels);
    createAugmenter(config, size, i)(pixels, 0, i);
    t.strictSame(pixels, before, JSON.stringify(config));
  }
});

t.test('pixels of another length than the images are refused', async (t) => {
  t.throws(() => createAugmenter({}, size, 1)(new Uint8Array(3), 0, 0), { message: /expected 25, got 3/ });
});

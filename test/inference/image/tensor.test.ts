// Pixels and an input contract → the values in a batch.
import t from 'tap';
import type { InputContract } from '../../../src/inference/image/contract.js';
import { createTensor, createTensorWriter, tensorLength } from '../../../src/inference/image/tensor.js';

const input: InputContract = {
  width: 2,
  height: 1,
  channels: 'rgb',
  fit: 'fill',
  kernel: 'linear',
  scale: 1 / 255,
  mean: [0.5, 0.25, 0],
  std: [0.5, 1, 2],
};

t.test('interleaved pixels become planes, each channel with its own mean and std', (t) => {
  const batch = new Float32Array(tensorLength(input));
  createTensorWriter(input)(Uint8Array.from([0, 51, 102, 255, 204, 153]), batch, 0);
  const expected = [-1, 1, 51 / 255 - 0.25, 204 / 255 - 0.25, 102 / 255 / 2, 153 / 255 / 2];
  t.same([...batch], [...Float32Array.from(expected)]);
  t.end();
});

t.test('channels stay interleaved in the layout nhwc', (t) => {
  const batch = new Float32Array(tensorLength(input));
  createTensorWriter({ ...input, layout: 'nhwc' })(Uint8Array.from([0, 51, 102, 255, 204, 153]), batch, 0);
  const expected = [-1, 51 / 255 - 0.25, 102 / 255 / 2, 1, 204 / 255 - 0.25, 153 / 255 / 2];
  t.same([...batch], [...Float32Array.from(expected)]);
  t.end();
});

t.test('a uint8 tensor holds the unchanged pixels, as planes or interleaved', (t) => {
  const bytes: InputContract = { ...input, scale: 1, mean: [0, 0, 0], std: [1, 1, 1], dataType: 'uint8' };
  const pixels = Uint8Array.from([0, 51, 102, 255, 204, 153]);
  for (const [layout, expected] of [
    ['nchw', [0, 255, 51, 204, 102, 153]],
    ['nhwc', [0, 51, 102, 255, 204, 153]],
  ] as const) {
    const batch = createTensor(bytes, 1);
    createTensorWriter({ ...bytes, layout })(pixels, batch, 0);
    t.ok(batch instanceof Uint8Array);
    t.same([...batch], expected, layout);
  }
  t.end();
});

t.test('every pixel value is (pixel * scale - mean) / std', (t) => {
  const gray: InputContract = {
    ...input,
    width: 16,
    height: 16,
    channels: 'gray',
    mean: [0.1307],
    std: [0.3081],
  };
  const batch = new Float32Array(256);
  createTensorWriter(gray)(
    Uint8Array.from({ length: 256 }, (_, i) => i),
    batch,
    0,
  );
  const expected = Float32Array.from(batch, (_, pixel) => (pixel * (1 / 255) - 0.1307) / 0.3081);
  t.same([...batch], [...expected]);
  t.end();
});

t.test('an image is written only at its offset', (t) => {
  const batch = new Float32Array(18).fill(9);
  createTensorWriter({ ...input, scale: 1, mean: [0, 0, 0], std: [1, 1, 1] })(new Uint8Array(6), batch, 6);
  t.same([...batch], [9, 9, 9, 9, 9, 9, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9, 9, 9]);
  t.end();
});

t.test('pixels of another size, and a batch without space, are refused', (t) => {
  const write = createTensorWriter(input);
  t.throws(() => write(new Uint8Array(5), new Float32Array(6), 0), {
    message: 'Tensor: pixels: expected 6, got 5',
  });
  t.throws(() => write(new Uint8Array(6), new Float32Array(6), 1), {
    message: 'Tensor: 6 values at 1 do not fit into 6',
  });
  t.end();
});

// Products of signs by counting bits, against the products themselves.
import t from 'tap';
import { packRows, packWindows, xnorProduct } from '../../../src/toolkit/binary/xnor.js';
import { conv2d, dense } from '../../helpers/float64-reference.js';
import { mulberry32 } from '../../helpers/seeded-values.js';

const random = mulberry32(8);
const signs = (...shape: number[]) => ({
  shape,
  data: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => (random() < 0.5 ? -1 : 1)),
});

for (const width of [1, 31, 32, 84, 400])
  t.test(`rows of ${width} signs have the products that a dense layer gives`, async (t) => {
    const [x, w] = [signs(3, width), signs(10, width)];
    const expected = dense(x, w, { shape: [10], data: new Float64Array(10) });
    t.same(Array.from(xnorProduct(packRows(x.data, 3), packRows(w.data, 10))), Array.from(expected.data));
  });

t.test('windows have the sums that a convolution gives, one row per pixel', async (t) => {
  const [x, w] = [signs(2, 6, 9, 8), signs(16, 6, 5, 5)];
  const { shape, data } = conv2d(x, w);
  const [, filters = 0, height = 0, width = 0] = shape;
  const rows = xnorProduct(packWindows(x.data, [2, 6, 9, 8], 5), packRows(w.data, 16));
  const area = height * width;
  const expected = Array.from(rows, (_, i) => {
    const [pixel, k] = [Math.floor(i / filters), i % filters];
    return data[(Math.floor(pixel / area) * filters + k) * area + (pixel % area)];
  });
  t.same(Array.from(rows), expected);
});

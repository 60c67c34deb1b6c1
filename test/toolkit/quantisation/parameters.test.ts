// Ranges and weights → scales, zero points and integers, at the edges.
import t from 'tap';
import { QuantisationError } from '../../../src/toolkit/quantisation/errors.js';
import {
  leastWeightScales,
  quantiseBias,
  quantiseRange,
  quantiseWeights,
} from '../../../src/toolkit/quantisation/parameters.js';
import { mulberry32, uniform } from '../../helpers/seeded-values.js';

const step = Math.fround(1 / 255);

t.test('pixels in 0…1 become their original integers', (t) => {
  t.strictSame(quantiseRange({ min: 0, max: 1 }, 'x'), { scale: step, zeroPoint: 0 });
  t.end();
});

t.test('a range without 0 is extended to 0', (t) => {
  t.strictSame(quantiseRange({ min: 0.5, max: 1 }, 'x'), { scale: step, zeroPoint: 0 });
  t.strictSame(quantiseRange({ min: -1, max: -0.5 }, 'x'), { scale: step, zeroPoint: 255 });
  t.end();
});

t.test('0 becomes an integer in 0…255, and both ends are exact within half a step', (t) => {
  const random = mulberry32(3);
  for (let i = 0; i < 200; i++) {
    const [a = 0, b = 0] = uniform(random, 2, -10, 10);
    const [min, max] = [Math.min(a, b), Math.max(a, b)];
    const { scale, zeroPoint } = quantiseRange({ min, max }, 'x');
    t.ok(Number.isInteger(zeroPoint) && zeroPoint >= 0 && zeroPoint <= 255);
    t.ok(Math.abs(-zeroPoint * scale - Math.min(min, 0)) <= 0.501 * scale);
    t.ok(Math.abs((255 - zeroPoint) * scale - Math.max(max, 0)) <= 0.501 * scale);
  }
  t.end();
});

t.test('a range of only 0, or too small for float32, gets a scale above 0', (t) => {
  t.strictSame(quantiseRange({ min: 0, max: 0 }, 'x'), { scale: 1, zeroPoint: 0 });
  t.strictSame(quantiseRange({ min: 0, max: 1e-45 }, 'x'), { scale: 1, zeroPoint: 0 });
  t.end();
});

t.test('a range that is not finite is an error that names the value', (t) => {
  for (const range of [
    { min: Number.NaN, max: Number.NaN },
    { min: 0, max: Number.POSITIVE_INFINITY },
    { min: Number.NEGATIVE_INFINITY, max: 0 },
  ])
    t.throws(() => quantiseRange(range, 'net.onnx: Relu_3'), {
      constructor: QuantisationError,
      message: `net.onnx: Relu_3: expected finite values in calibration, got ${range.min} to ${range.max}`,
    });
  t.end();
});

t.test('each output channel of the weights has its own scale, and 0 stays 0', (t) => {
  const { scales, values } = quantiseWeights(Float32Array.of(1, -0.5, 0, 0.02, 0.01, -0.04), 2, 63);
  t.strictSame([...scales], [Math.fround(1 / 63), Math.fround(Math.fround(0.04) / 63)]);
  t.same([...values], [63, -31, 0, 32, 16, -63]);
  t.end();
});

t.test('halves are rounded to even, like in ONNX', (t) => {
  const { scales, values } = quantiseWeights(Float32Array.of(63, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5), 1, 63);
  t.strictSame([...scales], [1]);
  t.same([...values], [63, 0, 2, 2, 0, -2, -2]);
  t.end();
});

for (const limit of [63, 127])
  t.test(`weights stay within ±${limit}, and within half a step of their value`, (t) => {
    const weights = Float32Array.from(uniform(mulberry32(limit), 8 * 50, -3, 3));
    const { scales, values } = quantiseWeights(weights, 8, limit);
    const error = weights.map((weight, i) => {
      const scale = scales[Math.floor(i / 50)] ?? Number.NaN;
      return Math.abs((values[i] ?? Number.NaN) * scale - weight) / scale;
    });
    t.ok(Math.max(...error) <= 0.5001, `off by ${Math.max(...error)} steps`);
    t.equal(Math.max(...values.map(Math.abs)), limit, 'the largest weight takes the largest integer');
    t.end();
  });

t.test('a channel of zeros stays zero', (t) => {
  const { scales, values } = quantiseWeights(Float32Array.of(0, 0, 0.6, 2), 2, 63);
  t.equal(scales[0], 1);
  t.same([...values], [0, 0, 19, 63]);
  t.end();
});

t.test('a bias is an integer in units of the product of both scales', (t) => {
  t.same([...quantiseBias(Float32Array.of(1, -0.25), 0.5, Float32Array.of(0.25, 0.125))], [8, -4]);
  t.end();
});

t.test('the bias of a channel with weights of 0 or almost 0 is kept', (t) => {
  const bias = Float32Array.of(0.3, -0.7, 0.1, 0);
  const weights = Float32Array.of(0, 0, 1e-12, 1e-13, 0.5, 0.2, 0, 0);
  const { scales } = quantiseWeights(weights, 4, 63, leastWeightScales(bias, step));
  const integers = quantiseBias(bias, step, scales);
  for (const [i, value] of bias.entries()) {
    const kept = (integers[i] ?? Number.NaN) * step * (scales[i] ?? Number.NaN);
    t.ok(Math.abs(kept - value) <= 1e-4, `${value} became ${kept}`);
  }
  t.equal(scales[2], Math.fround(0.5 / 63), 'a channel with weights is left as it is');
  t.end();
});

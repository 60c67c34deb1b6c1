// Numbers → half floats, against every half float and against the cast of ONNX Runtime.
import t from 'tap';
import { loadRuntime } from '../../../src/inference/workers/runtime.js';
import { GraphBuilder } from '../../../src/toolkit/graph/builder.js';
import { encodeOnnx } from '../../../src/toolkit/graph/onnx.js';
import { float32Tensor } from '../../../src/toolkit/graph/tensor-data.js';
import { QuantisationError } from '../../../src/toolkit/quantisation/errors.js';
import { toFloat16 } from '../../../src/toolkit/quantisation/float16.js';
import { toHalf } from '../../../src/toolkit/quantisation/half.js';
import { mulberry32, uniform } from '../../helpers/seeded-values.js';

/** (-1)^s (1 + m / 1024) 2^(e - 15), or m 2^-24 where e is 0. */
function fromHalf(bits: number): number {
  const [sign, exponent, mantissa] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * mantissa * 2 ** -24 : sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

t.test('every half float rounds to itself', (t) => {
  const wrong = Array.from({ length: 0x10000 }, (_, bits) => bits).filter((bits) => {
    const value = fromHalf(bits);
    return Number.isNaN(value) ? !Number.isNaN(fromHalf(toHalf(value))) : toHalf(value) !== bits;
  });
  t.strictSame(wrong, []);
  t.end();
});

t.test('values between half floats are rounded like in ONNX Runtime’s Cast', async (t) => {
  const random = mulberry32(6);
  const spread = uniform(random, 4000, -18, 16).map((power, i) => (i % 2 ? -1 : 1) * 2 ** power);
  const ties = Array.from({ length: 200 }, (_, i) => 1 + (2 * i + 1) / 2048);
  const values = Float32Array.from([...spread, ...ties, 65519, 2 ** -25, 3 * 2 ** -25]);
  const builder = new GraphBuilder('cast');
  const x = builder.input('x', [values.length]);
  builder.output(builder.op('Cast', [x], { to: { int: 10 } }), 'y');
  const { InferenceSession, Tensor } = await loadRuntime();
  const session = await InferenceSession.create(encodeOnnx(builder.build()));
  const { y } = await session.run({ x: new Tensor('float32', values, [values.length]) });
  const halves = y?.data;
  if (!ArrayBuffer.isView(halves)) throw new Error('no half floats');
  const expected = new Uint16Array(halves.buffer, halves.byteOffset, values.length);
  t.strictSame([...values].map(toHalf), [...expected]);
  await session.release();
});

t.test('a weight beyond half floats, or a network without weights, is an error with its name', (t) => {
  const builder = new GraphBuilder('net.onnx');
  const x = builder.input('x', ['N', 64]);
  const weight = builder.initializer('w', float32Tensor(new Array<number>(64).fill(70_000), [64]));
  builder.output(builder.op('Mul', [x, weight]), 'y');
  t.throws(() => toFloat16(builder.build()), {
    constructor: QuantisationError,
    message: 'net.onnx: w: holds 70000, but a half float is at most 65504',
  });
  const none = new GraphBuilder('none.onnx');
  none.output(none.op('Relu', [none.input('x', ['N'])]), 'y');
  t.throws(() => toFloat16(none.build()), { message: 'none.onnx: has no weights to halve' });
  t.end();
});

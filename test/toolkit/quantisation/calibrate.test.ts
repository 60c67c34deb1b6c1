// Images → the ranges of activations, against a float64 computation of the same net.
import t from 'tap';
import { GraphBuilder } from '../../../src/toolkit/graph/builder.js';
import type { Graph } from '../../../src/toolkit/graph/graph.js';
import { toFloat32Array } from '../../../src/toolkit/graph/tensor-data.js';
import { calibrate } from '../../../src/toolkit/quantisation/calibrate.js';
import { calibrationBatches } from '../../../src/toolkit/quantisation/calibration-images.js';
import { QuantisationError } from '../../../src/toolkit/quantisation/errors.js';
import { quantiseRange } from '../../../src/toolkit/quantisation/parameters.js';
import { array64, conv2d, maxPool, relu, runLayers } from '../../helpers/float64-reference.js';
import { randomBatches, side, smallGraph } from '../../helpers/quantised-net.js';
import { tinyRecipe, tinySplit } from '../../helpers/tiny-dataset.js';

function constant(graph: Graph, name: string) {
  const data = graph.initializers.get(name);
  if (!data) throw new Error(`${name} is no constant`);
  return array64(data.dims, toFloat32Array(data));
}

function rangeOf(values: ArrayLike<number>) {
  const all = Array.from(values);
  return { min: Math.min(...all), max: Math.max(...all) };
}

t.test('a range covers all images of all batches, also of a smaller last batch', async (t) => {
  const graph = smallGraph();
  const [conv] = graph.nodes;
  const pooled = graph.nodes.find(({ op }) => op === 'MaxPool')?.outputs[0] ?? '';
  const convolved = conv?.outputs[0] ?? '';
  const batches = [...randomBatches(3, 4), ...randomBatches(1, 1, 99)];
  batches[3]?.images.set([-0.5, 2]);
  const ranges = await calibrate(graph, ['image', convolved, pooled], batches);
  const all = batches.flatMap(({ images }) => [...images]);
  const image = array64([13, 1, side, side], all);
  const [weight, bias] = [constant(graph, 'conv1.weight'), constant(graph, 'conv1.bias')];
  const first = conv2d(image, weight, bias);
  const second = runLayers([relu, (x) => maxPool(x, [2, 2], [2, 2])], first);
  t.strictSame(ranges.get('image'), { min: -0.5, max: 2 });
  for (const [name, expected] of [
    [convolved, rangeOf(first.data)],
    [pooled, rangeOf(second.data)],
  ] as const) {
    const got = ranges.get(name);
    t.ok(Math.abs((got?.min ?? Number.NaN) - expected.min) <= 2e-6 * expected.max, `${name} min`);
    t.ok(Math.abs((got?.max ?? Number.NaN) - expected.max) <= 2e-6 * expected.max, `${name} max`);
  }
});

t.test('the range of only the input needs no run of the model', async (t) => {
  const ranges = await calibrate(smallGraph(), ['image'], randomBatches(2, 3));
  t.strictSame([...ranges.keys()], ['image']);
  t.ok((ranges.get('image')?.max ?? 0) > 0.99);
});

t.test('a NaN stays in its range, whatever values follow', async (t) => {
  const builder = new GraphBuilder('net');
  const x = builder.input('image', ['N', 1, 1, 1]);
  builder.output(builder.op('Sqrt', [x]));
  const graph = builder.build();
  const root = graph.outputs[0]?.name ?? '';
  const batches = [4, -1, 9].map((value) => ({ images: Float32Array.of(value), count: 1 }));
  const range = (await calibrate(graph, [root], batches)).get(root);
  t.strictSame(range, { min: Number.NaN, max: Number.NaN });
  t.throws(() => quantiseRange(range ?? { min: 0, max: 0 }, root), QuantisationError);
});

t.test('no images, no input and an unknown value are errors', async (t) => {
  const graph = smallGraph();
  await t.rejects(calibrate(graph, ['image'], []), {
    constructor: QuantisationError,
    message: 'small: expected images to calibrate on, found none',
  });
  await t.rejects(calibrate({ ...graph, inputs: [] }, ['image'], randomBatches(1, 1)), {
    constructor: QuantisationError,
    message: 'small: has no input',
  });
  await t.rejects(calibrate(graph, ['nothing'], randomBatches(1, 1)), {
    constructor: QuantisationError,
    message: 'small: has no value nothing',
  });
});

t.test('calibration images are a seeded choice, prepared by the serving code', (t) => {
  const split = tinySplit(100, 1);
  const choose = (images: number, seed: number) => [
    ...calibrationBatches(split, tinyRecipe.input, { images, seed }),
  ];
  const chosen = choose(40, 1);
  t.strictSame(
    chosen.map(({ count }) => count),
    [32, 8],
  );
  t.strictSame(chosen, choose(40, 1), 'the same seed chooses the same');
  t.strictNotSame(chosen, choose(40, 2));
  const known = new Set(
    Array.from({ length: 100 }, (_, i) =>
      [...split.images.subarray(i * 64, (i + 1) * 64)].map((pixel) => Math.fround(pixel / 255)).join(),
    ),
  );
  const got = chosen.flatMap(({ images, count }) =>
    Array.from({ length: count }, (_, i) => images.subarray(i * 64, (i + 1) * 64).join()),
  );
  t.equal(new Set(got).size, 40, 'no image twice');
  t.ok(got.every((image) => known.has(image)));
  t.equal(
    choose(1000, 1).reduce((sum, { count }) => sum + count, 0),
    100,
    'all when there are fewer',
  );
  t.end();
});

t.test('images of another size are an error with both sizes', (t) => {
  const choose = () => calibrationBatches(tinySplit(4, 1, 10), tinyRecipe.input, { images: 4, seed: 1 });
  t.throws(choose, {
    constructor: QuantisationError,
    message: 'the model takes 8x8 gray images, but the dataset has 10x10 with 1 channels',
  });
  t.end();
});

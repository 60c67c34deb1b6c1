// One operator in a small graph, and the same function in float64 → how far value and gradients differ.
import type { Test } from 'tap';
import { differentiate } from '../../src/toolkit/autodiff/differentiate.js';
import { GraphBuilder, staticShape } from '../../src/toolkit/graph/builder.js';
import { elementCount, type Value } from '../../src/toolkit/graph/graph.js';
import { lower } from '../../src/toolkit/lowering/lower.js';
import { type Array64, finiteDifferences } from './float64-reference.js';
import { type Result, runGraph } from './run-graph.js';
import { mulberry32, uniform } from './seeded-values.js';

/** float32 against float64, relative to the largest value: a few hundred roundings of 6e-8 each. */
const forwardTolerance = 2e-6;
export const gradientTolerance = 2e-5;

export interface GradientCase {
  readonly inputs: Readonly<Record<string, Array64>>;
  /** The operator under test, in the graph's terms. */
  readonly graph: (builder: GraphBuilder, inputs: Readonly<Record<string, Value>>) => Value;
  /** The same function, in float64. */
  readonly reference: (inputs: Readonly<Record<string, Array64>>) => Array64;
  readonly seed?: number;
  /** Elements of each input whose gradient is compared; all when there are not more. */
  readonly samples?: number;
}

/** Largest difference over the largest magnitude, of the output and of each input's gradient. */
interface GradientErrors {
  readonly forward: number;
  readonly gradients: Readonly<Record<string, number>>;
}

/** Loss: the sum of the output's elements, each times a fixed random weight. */
async function gradientErrors(check: GradientCase): Promise<GradientErrors> {
  const { inputs, reference, seed = 1, samples = 60 } = check;
  const random = mulberry32(seed);
  const expected = reference(inputs);
  const weights = uniform(random, expected.data.length);
  const results = await runDifferentiated(check, expected.shape, weights);
  const loss = () => {
    const { data } = reference(inputs);
    return data.reduce((sum, value, i) => sum + value * (weights[i] as number), 0);
  };
  const gradients = Object.entries(inputs).map(([name, { data, shape }]): [string, number] => {
    const dims = results[`d${name}`]?.dims;
    if (dims?.join() !== shape.join()) throw new Error(`${name} is [${shape}], its gradient [${dims}]`);
    const indices = sample(data.length, samples, random);
    const actual = floats(results[`d${name}`]);
    const differences = finiteDifferences(loss, data, indices);
    const sampled = indices.map((i) => actual[i] as number);
    return [name, relativeError(sampled, differences, largestOf(actual))];
  });
  const forward = relativeError(floats(results.y), expected.data, largestOf(expected.data));
  return { forward, gradients: Object.fromEntries(gradients) };
}

async function runDifferentiated(
  { inputs, graph }: Pick<GradientCase, 'inputs' | 'graph'>,
  outputShape: readonly number[],
  weights: Float64Array,
): Promise<Record<string, Result>> {
  const builder = new GraphBuilder('gradient-check');
  const values = Object.fromEntries(
    Object.entries(inputs).map(([name, { shape }]) => [name, builder.input(name, shape)]),
  );
  const y = graph(builder, values);
  if (y.type.shape.join() !== outputShape.join())
    throw new Error(`the graph gives [${y.type.shape}], the reference [${outputShape}]`);
  builder.output(y, 'y');
  builder.output(weightedSum(builder, y, weights), 'loss');
  const names = Object.keys(inputs);
  const differentiated = differentiate(builder.build(), 'loss', names);
  const extended = GraphBuilder.from(differentiated.graph);
  for (const { name } of differentiated.graph.outputs) extended.output(extended.value(name));
  for (const name of names) {
    const gradient = differentiated.gradients.get(name);
    extended.output(extended.value(gradient?.name ?? ''), `d${name}`);
  }
  const feeds = Object.fromEntries(Object.entries(inputs).map(([name, { data }]) => [name, data]));
  return await runGraph(lower(extended.build()), feeds);
}

/** The gradient of the sum of what the graph makes of a vector. */
export async function gradientOf(
  x: readonly number[],
  graph: (builder: GraphBuilder, x: Value) => Value,
): Promise<Float64Array> {
  const results = await runDifferentiated(
    {
      inputs: { x: { shape: [x.length], data: Float64Array.from(x) } },
      graph: (builder, { x }) => graph(builder, x as Value),
    },
    [x.length],
    new Float64Array(x.length).fill(1),
  );
  return floats(results.dx);
}

/** A scalar that depends on every element of y. */
function weightedSum(builder: GraphBuilder, y: Value, weights: Float64Array): Value {
  const shape = staticShape(y);
  const weighted = builder.op('Mul', [y, builder.floats([...weights], shape)]);
  const axes = builder.integers(shape.map((_, axis) => axis));
  return shape.length === 0 ? weighted : builder.op('ReduceSum', [weighted, axes], { keepdims: { int: 0 } });
}

export function floats(result: Result | undefined): Float64Array {
  return Float64Array.from(result?.data ?? [], Number);
}

export function largestOf(values: ArrayLike<number>): number {
  return Array.from(values).reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
}

/** NaN when the lengths differ, so that no comparison with it holds. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.NaN;
  return largestOf(Array.from(a, (value, i) => value - (b[i] as number)));
}

/** Largest difference relative to `scale`; where everything is 0, only an exact 0 is right. */
function relativeError(a: ArrayLike<number>, b: ArrayLike<number>, scale: number): number {
  const difference = largestDifference(a, b);
  return difference === 0 ? 0 : difference / scale;
}

function sample(length: number, count: number, random: () => number): number[] {
  if (length <= count) return Array.from({ length }, (_, i) => i);
  return Array.from({ length: count }, () => Math.floor(random() * length));
}

export function values(random: () => number, ...shape: number[]): Array64 {
  return { shape, data: uniform(random, elementCount(shape)) };
}

/** Asserts that value and gradients are those of the float64 reference; the message says how far off they are. */
export async function matchesReference(
  t: Pick<Test, 'ok'>,
  title: string,
  check: GradientCase,
): Promise<void> {
  const { forward, gradients } = await gradientErrors(check);
  t.ok(forward <= forwardTolerance, `${title}: value off by ${forward.toExponential(1)}`);
  for (const [name, error] of Object.entries(gradients))
    t.ok(error <= gradientTolerance, `${title}: d${name} off by ${error.toExponential(1)}`);
}

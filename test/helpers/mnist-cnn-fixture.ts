// What test/fixtures/pytorch/record_mnist_cnn.py recorded, and the inputs it recorded them for.
import { readFileSync } from 'node:fs';
import { mnistCnn } from '../../src/toolkit/architectures/mnist-cnn.js';
import { elementCount } from '../../src/toolkit/graph/graph.js';
import { float32Tensor } from '../../src/toolkit/graph/tensor-data.js';
import {
  collectParameters,
  type Parameters,
  tensorsToVector,
} from '../../src/toolkit/training/step/parameters.js';
import { projectUrl } from './project.js';
import { mulberry32, uniform } from './seeded-values.js';

/** Every `every`-th value of a tensor, and the largest magnitude of all of them. */
export interface Sampled {
  readonly every: number;
  readonly largest: number;
  readonly values: readonly number[];
}

interface Recorded {
  readonly loss: number;
  readonly logits: readonly number[];
  readonly gradients: Readonly<Record<string, Sampled>>;
  readonly adam: {
    /** Before each step. */
    readonly losses: readonly number[];
    /** After the last. */
    readonly parameters: Readonly<Record<string, Sampled>>;
  };
}

export interface MnistCnnFixture {
  readonly seed: number;
  readonly batch: number;
  readonly labels: readonly number[];
  readonly margin: number;
  readonly learningRate: number;
  readonly float32: Recorded;
  readonly float64: Recorded;
}

const file = new URL('test/fixtures/pytorch/mnist_cnn.json', projectUrl);
export const fixture = JSON.parse(readFileSync(file, 'utf8')) as MnistCnnFixture;

const biasLimit = 0.1;

export function fixtureParameters(): Parameters {
  let index = 0;
  return collectParameters(mnistCnn, ({ kind, shape, fanIn, fanOut }) => {
    const limit = kind === 'bias' ? biasLimit : Math.sqrt(6 / (fanIn + fanOut));
    const random = mulberry32(1000 * fixture.seed + index++);
    return float32Tensor(uniform(random, elementCount(shape), -limit, limit), shape);
  });
}

export function fixtureFeeds({ layout, tensors }: Parameters): {
  image: Float64Array;
  labels: BigInt64Array;
  parameters: Float32Array;
} {
  const pixels = uniform(mulberry32(1000 * fixture.seed + 999), fixture.batch * 28 * 28, 0, 1);
  return {
    image: pixels,
    labels: BigInt64Array.from(fixture.labels, BigInt),
    parameters: tensorsToVector(layout, tensors, 'fixture'),
  };
}

/** The same values that the fixture holds, of a whole tensor. */
export function sampleLike({ every }: Sampled, values: Float32Array): Float32Array {
  return values.filter((_, i) => i % every === 0);
}

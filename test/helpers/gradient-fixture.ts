// What test/fixtures/pytorch/record_gradients.py recorded of an architecture, and the inputs it recorded it for.
import { readFileSync } from 'node:fs';
import type { Architecture } from '../../src/toolkit/architectures/layers.js';
import { elementCount } from '../../src/toolkit/graph/graph.js';
import { float32Tensor } from '../../src/toolkit/graph/tensor-data.js';
import {
  collectParameters,
  type Parameters,
  tensorsToVector,
} from '../../src/toolkit/training/step/parameters.js';
import type { DropoutMask } from '../../src/toolkit/training/step/training-mode.js';
import type { Sampled } from './mnist-cnn-fixture.js';
import { projectUrl } from './project.js';
import type { Feeds } from './run-graph.js';
import { mulberry32, uniform } from './seeded-values.js';

export interface RecordedNet {
  readonly seed: number;
  readonly margin: number;
  /** How far PyTorch's float32 is from the float64 recorded here, by the largest value of each tensor. */
  readonly float32: number;
  readonly loss: number;
  readonly gradients: Readonly<Record<string, Sampled>>;
}

interface GradientFixture {
  readonly labels: readonly number[];
  readonly nets: Readonly<Record<string, RecordedNet>>;
}

const file = new URL('test/fixtures/pytorch/gradients.json', projectUrl);
const fixture = JSON.parse(readFileSync(file, 'utf8')) as GradientFixture;

export const fixtureBatch = fixture.labels.length;

export function recordedNet({ name }: Architecture): RecordedNet {
  const recorded = fixture.nets[name];
  if (!recorded)
    throw new Error(`${name}: nothing is recorded; run test/fixtures/pytorch/record_gradients.py ${name}`);
  return recorded;
}

export function netParameters(architecture: Architecture, seed: number): Parameters {
  let index = 0;
  return collectParameters(architecture, ({ name, kind, shape, fanIn, fanOut }) => {
    const glorot = Math.sqrt(6 / (fanIn + fanOut));
    const limits = {
      weight: [-glorot, glorot],
      bias: name.startsWith('batchNorm') ? [-0.5, 0.5] : [-0.1, 0.1],
      scale: [0.5, 1.5],
      mean: [-1, 1],
      variance: [0.5, 1],
    } as const;
    const [low, high] = limits[kind];
    return float32Tensor(uniform(mulberry32(1000 * seed + index++), elementCount(shape), low, high), shape);
  });
}

export function netFeeds(
  { input }: Architecture,
  { layout, tensors }: Parameters,
  masks: readonly DropoutMask[],
  seed: number,
): Feeds {
  const pixels = fixtureBatch * input.channels * input.height * input.width;
  const drawn = masks.map(({ name, shape, rate }, i) => {
    const values = uniform(mulberry32(1000 * seed + 901 + i), elementCount(shape), 0, 1);
    return [name, values.map((value) => (value < rate ? 0 : 1 / (1 - rate)))] as const;
  });
  return {
    image: uniform(mulberry32(1000 * seed + 999), pixels, 0, 1),
    labels: BigInt64Array.from(fixture.labels, BigInt),
    parameters: tensorsToVector(layout, tensors, 'fixture'),
    ...Object.fromEntries(drawn),
  };
}

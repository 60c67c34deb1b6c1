// a name and labels → models/<name>/<version>/ with a classifier whose answers a test can foresee.
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { scoresToConfidences } from '../../src/inference/category.js';
import { channelCount } from '../../src/inference/image/channels.js';
import type { InputContract } from '../../src/inference/image/contract.js';
import { tensorLength } from '../../src/inference/image/tensor.js';
import type { Card, VariantName } from '../../src/inference/models/card.js';
import { GraphBuilder } from '../../src/toolkit/graph/builder.js';
import { encodeOnnx } from '../../src/toolkit/graph/onnx.js';
import { solidPng } from './images.js';

export const grayInput: InputContract = {
  width: 28,
  height: 28,
  channels: 'gray',
  fit: 'contain',
  kernel: 'linear',
  scale: 1 / 255,
  mean: [0],
  std: [1],
};

export interface FixtureModel {
  name?: string;
  version?: number;
  /** From dark to bright, evenly spaced. */
  labels?: readonly string[];
  variants?: readonly VariantName[];
  defaultVariant?: VariantName;
  input?: InputContract;
  /** Changes the card after all of it is known; what comes out needn't be a card. */
  change?: (card: Card) => unknown;
}

const sharpness = 40;

/**
 * A classifier of brightness: with labels at c[l] = l / (L - 1) and m the mean of the pixels in 0…1,
 * score[l] = -sharpness * (m - c[l])^2 + sharpness * m^2, which is linear in the pixels.
 */
export function brightnessOnnx(
  input: InputContract,
  labels: number,
  batch: number | string = 'N',
): Uint8Array {
  const builder = new GraphBuilder('brightness');
  const length = tensorLength(input);
  const centres = Array.from({ length: labels }, (_, l) => l / (labels - 1));
  const x = builder.input('image', [batch, channelCount(input), input.height, input.width]);
  const weights = centres.flatMap((centre) =>
    new Array<number>(length).fill((2 * sharpness * centre) / length),
  );
  const weight = builder.floats(weights, [labels, length]);
  const bias = builder.floats(
    centres.map((centre) => -sharpness * centre * centre),
    [labels],
  );
  const scores = builder.op('Gemm', [builder.op('Flatten', [x]), weight, bias], { transB: { int: 1 } });
  builder.output(scores, 'scores');
  return encodeOnnx(builder.build());
}

/** What the classifier answers to an image that has one value everywhere. */
export function brightnessConfidences(value: number, labels: number): number[] {
  const mean = value / 255;
  const scores = Array.from({ length: labels }, (_, l) => -sharpness * (mean - l / (labels - 1)) ** 2);
  return scoresToConfidences(scores, 'softmax', labels);
}

/** Writes the model under `models` and returns its folder. */
export async function writeFixtureModel(models: string, options: FixtureModel = {}): Promise<string> {
  const { name = 'brightness', version = 1, labels = ['dark', 'bright'], input = grayInput } = options;
  const { variants = ['float32'], defaultVariant = variants[0] ?? 'float32' } = options;
  const folder = join(models, name, String(version));
  await mkdir(join(folder, 'golden'), { recursive: true });
  const onnx = brightnessOnnx(input, labels.length);
  const entry = { bytes: onnx.length, sha256: createHash('sha256').update(onnx).digest('hex') };
  for (const variant of variants) await writeFile(join(folder, `${variant}.onnx`), onnx);
  await writeFile(join(folder, 'golden', 'light.png'), solidPng(input.width, input.height, 140));
  const confidences = brightnessConfidences(140, labels.length);
  const card: Card = {
    name,
    title: `Brightness in ${labels.length} steps`,
    labels: [...labels],
    input,
    output: 'softmax',
    defaultVariant,
    variants: Object.fromEntries(variants.map((v) => [v, { file: `${v}.onnx`, ...entry }])),
    golden: [
      { file: 'golden/light.png', confidences: Object.fromEntries(variants.map((v) => [v, confidences])) },
    ],
  };
  await writeFile(join(folder, 'card.json'), JSON.stringify(options.change?.(card) ?? card));
  return folder;
}

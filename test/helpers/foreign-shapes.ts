// The shapes in which classifiers come from other tools → ONNX bytes, all of the same function of the image.
import type { InputContract } from '../../src/inference/image/contract.js';
import type { Card } from '../../src/inference/models/card.js';
import { GraphBuilder } from '../../src/toolkit/graph/builder.js';
import { encodeOnnx } from '../../src/toolkit/graph/onnx.js';
import { png } from './images.js';

export interface ForeignModel {
  readonly name: string;
  readonly layout: 'nchw' | 'nhwc';
  readonly dataType: 'float32' | 'uint8';
  readonly batch: number | string;
  readonly output: Card['output'];
  readonly labels: readonly string[];
  /** Inside the graph. */
  readonly last?: 'Softmax' | 'Sigmoid';
}

const colours = ['red', 'green', 'blue'];
const twoSides = ['cold', 'warm'];

/** One of each: layout, type, free or fixed batch, logits or probabilities, one output for two labels. */
export const foreignModels: readonly ForeignModel[] = [
  { name: 'pytorch', layout: 'nchw', dataType: 'float32', batch: 'N', output: 'softmax', labels: colours },
  { name: 'fixed', layout: 'nchw', dataType: 'float32', batch: 1, output: 'softmax', labels: colours },
  {
    name: 'probable',
    layout: 'nchw',
    dataType: 'float32',
    batch: 'N',
    output: 'probabilities',
    labels: colours,
    last: 'Softmax',
  },
  {
    name: 'keras',
    layout: 'nhwc',
    dataType: 'float32',
    batch: 'N',
    output: 'probabilities',
    labels: colours,
    last: 'Softmax',
  },
  { name: 'keras-fixed', layout: 'nhwc', dataType: 'float32', batch: 1, output: 'softmax', labels: colours },
  { name: 'bytes', layout: 'nhwc', dataType: 'uint8', batch: 'N', output: 'softmax', labels: colours },
  { name: 'byte-planes', layout: 'nchw', dataType: 'uint8', batch: 1, output: 'softmax', labels: colours },
  {
    name: 'binary-logit',
    layout: 'nchw',
    dataType: 'float32',
    batch: 'N',
    output: 'sigmoid',
    labels: twoSides,
  },
  {
    name: 'binary-keras',
    layout: 'nhwc',
    dataType: 'float32',
    batch: 'N',
    output: 'probabilities',
    labels: twoSides,
    last: 'Sigmoid',
  },
];

const foreignSize = { width: 6, height: 4 } as const;

export function foreignInput({ layout, dataType }: Pick<ForeignModel, 'layout' | 'dataType'>): InputContract {
  return {
    ...foreignSize,
    channels: 'rgb',
    fit: 'fill',
    kernel: 'linear',
    scale: dataType === 'uint8' ? 1 : 1 / 255,
    mean: [0, 0, 0],
    std: [1, 1, 1],
    layout,
    dataType,
  };
}

/**
 * Of the left half of the image: `score[c] = 8 · mean of channel c`, or, for two labels, `8 · (red - blue)`. Whoever swaps
 * channels, rows or columns reads other pixels.
 */
export function foreignOnnx(model: ForeignModel): Uint8Array {
  const { layout, dataType, batch, labels, last } = model;
  const { width, height } = foreignSize;
  const shape = layout === 'nchw' ? [3, height, width] : [height, width, 3];
  const scale = (8 / (height * (width / 2))) * (dataType === 'uint8' ? 1 / 255 : 1);
  const rows = labels.length === 2 ? [[1, 0, -1]] : [0, 1, 2].map((c) => [0, 1, 2].map((k) => +(k === c)));
  const weights = rows.flatMap((row) =>
    Array.from({ length: 3 * height * width }, (_, i) => {
      const [channel, column] =
        layout === 'nchw'
          ? [Math.floor(i / (height * width)), i % width]
          : [i % 3, Math.floor(i / 3) % width];
      return column < width / 2 ? scale * (row[channel] ?? 0) : 0;
    }),
  );
  const builder = new GraphBuilder(model.name);
  const image = builder.input('image', [batch, ...shape], dataType);
  const floats = dataType === 'uint8' ? builder.op('Cast', [image], { to: { int: 1 } }) : image;
  const weight = builder.floats(weights, [rows.length, 3 * height * width]);
  const scores = builder.op('Gemm', [builder.op('Flatten', [floats]), weight], { transB: { int: 1 } });
  builder.output(last ? builder.op(last, [scores]) : scores, 'scores');
  return encodeOnnx(builder.build());
}

/** A PNG whose left half has one colour and whose right half has another. */
export function halves(left: readonly number[], right: readonly number[]): Buffer {
  const { width, height } = foreignSize;
  const pixels = Array.from({ length: width * height }, (_, i) => (i % width < width / 2 ? left : right));
  return png(width, height, 3, Uint8Array.from(pixels.flat()));
}

// a test split of digits → photos of dark ink on paper, as PNG and JPEG files → the number that is classified correctly.

import type { InputContract } from '../../inference/image/contract.js';
import { decodeImage } from '../../inference/image/decode.js';
import { createTensor, createTensorWriter, type TensorValues } from '../../inference/image/tensor.js';
import { openSession } from '../../inference/workers/session.js';
import type { Split } from '../datasets/dataset.js';
import { encodeJpeg } from '../images/jpeg.js';
import { encodePng } from '../images/png.js';
import { createRandom, permutation, type Random } from '../random.js';
import { type Classifier, surestLabel } from './classify.js';
import { EvaluationError } from './errors.js';
import { drawOnPaper, type Scene } from './paper.js';

const maxPixels = 400 * 400;

export interface Reinked {
  readonly bytes: Uint8Array;
  readonly kind: 'png' | 'jpeg';
  /** Index into the labels. */
  readonly label: number;
  /** Index of the image in the split. */
  readonly index: number;
}

export interface ReinkOptions {
  readonly count: number;
  readonly seed: number;
}

/**
 * Draws the first `count` images of a seeded order of the split, each in a seeded scene. An image does not depend on `count`.
 * @param split light ink on black.
 * @throws EvaluationError if the images are not gray.
 */
export async function* reinkedDigits(split: Split, { count, seed }: ReinkOptions): AsyncGenerator<Reinked> {
  if (split.channels !== 1)
    throw new EvaluationError(
      `Re-inked images need gray images, but those of the dataset have ${split.channels} channels`,
    );
  const order = permutation(split.count, createRandom(seed, 'reinked'));
  const size = split.height * split.width;
  for (const index of order.subarray(0, count)) {
    const random = createRandom(seed, 'reinked', index);
    const scene = chooseScene(random);
    const digit = {
      width: split.width,
      height: split.height,
      data: split.images.subarray(index * size, (index + 1) * size),
    };
    const { width, height, data } = drawOnPaper(digit, scene, random);
    const label = split.labels[index] ?? 0;
    const bytes =
      scene.jpegQuality === undefined
        ? await encodePng(data, { width, height, channels: 'gray' })
        : await encodeJpeg(data, { width, height, quality: scene.jpegQuality });
    yield { bytes, kind: scene.jpegQuality === undefined ? 'png' : 'jpeg', label, index };
  }
}

/** Draws a scene. docs/digits.md lists these ranges. */
function chooseScene(random: Random): Scene {
  const between = (from: number, to: number) => from + (to - from) * random.next();
  const height = Math.round(60 * (400 / 60) ** random.next());
  const width = Math.min(400, Math.max(60, Math.round(height * between(0.7, 1.6))));
  return {
    width,
    height,
    digitSide: Math.max(24, Math.min(width, height) * between(0.35, 0.85)),
    across: random.next(),
    down: random.next(),
    strokeLevel: between(0.3, 0.6),
    paper: between(150, 250),
    ink: between(0.08, 0.4),
    slope: between(0, 0.4),
    slopeAngle: between(0, 2 * Math.PI),
    falloff: between(0, 0.3),
    blur: between(0, 1.2),
    noise: between(0, 6),
    ...(random.next() < 0.5 && { jpegQuality: Math.round(between(60, 95)) }),
  };
}

export interface ReinkedResult {
  readonly images: number;
  readonly accuracy: number;
}

/** Draws all images, for several models. */
export async function drawReinked(split: Split, options: ReinkOptions): Promise<Reinked[]> {
  const drawn: Reinked[] = [];
  for await (const image of reinkedDigits(split, options)) drawn.push(image);
  return drawn;
}

/** An image as the model takes it, and its label. */
export interface DecodedDigit {
  readonly values: TensorValues;
  readonly label: number;
}

/** Decodes images in the same way as uploads. All variants of a model use the result. */
export async function decodeReinked(
  files: readonly Reinked[],
  input: InputContract,
  onProgress?: (images: number) => void,
): Promise<DecodedDigit[]> {
  const write = createTensorWriter(input);
  const decoded: DecodedDigit[] = [];
  for (const { bytes, label } of files) {
    const { data } = await decodeImage(bytes, input, { maxPixels });
    const values = createTensor(input, 1);
    write(data, values, 0);
    decoded.push({ values, label });
    onProgress?.(decoded.length);
  }
  return decoded;
}

/** Classifies the images one by one. */
export async function evaluateReinked(
  file: string,
  target: Classifier,
  digits: readonly DecodedDigit[],
): Promise<ReinkedResult> {
  const session = await openSession(file, { input: target.input });
  let correct = 0;
  try {
    for (const { values, label } of digits)
      if (surestLabel(await session.run(values, 1), target).label === label) correct++;
  } finally {
    await session.release();
  }
  return { images: digits.length, accuracy: correct / digits.length };
}

// An ONNX classifier of any tool, and what its files do not state → models/<name>/<version>/ with card, variants and golden images.
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ModelError } from '../../inference/errors.js';
import { tensorLength } from '../../inference/image/tensor.js';
import { type Card, parseCard, type Variant, type VariantName } from '../../inference/models/card.js';
import type { Dataset } from '../datasets/dataset.js';
import { checkLabels } from '../evaluation/checks.js';
import { evaluateModel } from '../evaluation/evaluate.js';
import { variantOfFile } from '../evaluation/foreign.js';
import { measureSpeeds, speedForCard } from '../evaluation/speed.js';
import { type ForeignOptions, resolveTargets, type Target } from '../evaluation/targets.js';
import { sha256Of, writeFileAtomic } from '../files.js';
import { encodePng } from '../images/png.js';
import { createRandom } from '../random.js';
import { drawnSamples } from './drawn.js';
import { PublishingError } from './errors.js';
import { goldenEntries } from './golden.js';
import { goldenImages, type Published } from './publish.js';
import { everyNth, firstSamples, type Sample } from './samples.js';
import { selfContained } from './self-contained.js';
import { type VersionOptions, versionFolder, writeModel } from './write-model.js';

export interface PublishForeignOptions extends VersionOptions {
  /** An ONNX file, or a folder with the variants of one model, as float32.onnx and int8.onnx. */
  readonly model: string;
  readonly foreign: ForeignOptions;
  readonly title?: string;
  /** Loads a dataset. Its test images measure the model and become samples and golden images. Without it, golden images are noise. */
  readonly loadDataset?: (target: Target) => Promise<Dataset>;
  readonly command: string;
  readonly tool: string;
  readonly samplesFolder?: string;
  /** Draw golden images and copy no image of the dataset, whose licence may forbid it. */
  readonly drawn?: boolean;
  /** The works that the model was made from, with their licences, one line each. */
  readonly attribution?: readonly string[];
}

/**
 * Publishes a model, whole or not at all. The model's folder appears last.
 * @throws ModelError if a file cannot be loaded, or its number of scores differs from the number of labels.
 * @throws PublishingError if two files are the same variant, or the version exists. @throws CardError, EvaluationError.
 */
export async function publishForeign(options: PublishForeignOptions): Promise<Published> {
  const copies = await mkdtemp(path.join(tmpdir(), 'quati-'));
  try {
    return await publishWhole(options, copies);
  } finally {
    await rm(copies, { recursive: true, force: true });
  }
}

async function publishWhole(options: PublishForeignOptions, copies: string): Promise<Published> {
  const {
    model,
    name,
    foreign,
    title = name,
    samplesFolder = 'imgs',
    drawn = false,
    attribution = [],
  } = options;
  const targets = await resolveTargets(model, foreign);
  const merged = await mergeTargets(model, targets);
  const target = { ...merged, variants: await selfContained(merged.variants, copies) };
  const folder = await versionFolder(options);
  const dataset = await options.loadDataset?.(target);
  if (dataset) checkLabels(target, dataset);
  const samples = dataset && !drawn ? await firstSamples(dataset, target.input, 2) : [];
  const golden = await goldenSamples(target, samples, drawn);
  const card = parseCard(
    await buildCard({ ...options, title, attribution, target, dataset, golden }),
    path.join(folder, 'card.json'),
  );
  const sampleFiles = samples.map(({ file }) => path.join(samplesFolder, name, file));
  for (const [i, { png }] of samples.entries()) await writeFileAtomic(sampleFiles[i] ?? '', png);
  const files = new Map([...target.variants].map(([variant, file]) => [`${variant}.onnx`, file]));
  await writeModel(folder, card, files, golden);
  return { folder, card, samples: sampleFiles };
}

interface CardParts
  extends Required<Pick<PublishForeignOptions, 'name' | 'title' | 'attribution' | 'command' | 'tool'>> {
  readonly target: Target;
  readonly dataset: Dataset | undefined;
  readonly golden: readonly Sample[];
}

async function buildCard(parts: CardParts): Promise<unknown> {
  const { name, title, target, dataset, golden, attribution, command, tool } = parts;
  return {
    name,
    title,
    labels: [...target.labels],
    input: target.input,
    output: target.output,
    defaultVariant: target.variants.has('int8') ? 'int8' : [...target.variants.keys()][0],
    variants: await describeVariants(target, dataset),
    golden: await goldenOf(golden, target),
    ...(attribution.length > 0 && { attribution: [...attribution] }),
    provenance: {
      ...(dataset && { dataset: { name: dataset.name, sha256: dataset.sha256 } }),
      commands: [command],
      date: new Date().toISOString(),
      tool,
    },
  };
}

/** Merges the files of a folder into one target. The name of a file, or its content, gives its variant. */
async function mergeTargets(model: string, targets: readonly Target[]): Promise<Target> {
  const variants = new Map<VariantName, string>();
  for (const file of targets.flatMap((target) => [...target.variants.values()])) {
    const variant = await variantOfFile(file);
    const other = variants.get(variant);
    if (other !== undefined)
      throw new PublishingError(
        `${other} and ${file} are both ${variant}: name each file after its variant, such as int8.onnx`,
      );
    variants.set(variant, file);
  }
  const [first] = targets;
  if (!first) throw new PublishingError(`${model}: holds no ONNX files`);
  for (const { input, output, variants: files } of targets)
    if (JSON.stringify([input, output]) !== JSON.stringify([first.input, first.output]))
      throw new PublishingError(
        `${[...files.values()]}: has another input or output than ${[...first.variants.values()]}`,
      );
  return { ...first, variants };
}

async function goldenSamples(target: Target, samples: Sample[], drawn: boolean): Promise<Sample[]> {
  if (drawn) return await drawnSamples(target.input, goldenImages);
  return samples.length > 0 ? everyNth(samples, goldenImages) : await noiseImages(target);
}

async function goldenOf(golden: readonly Sample[], target: Target): Promise<Card['golden']> {
  try {
    return await goldenEntries(golden, target);
  } catch (cause) {
    const files = [...target.variants.values()].join(', ');
    throw new ModelError(`${files}: ${(cause as Error).message}`, { cause });
  }
}

async function describeVariants(target: Target, dataset: Dataset | undefined): Promise<Card['variants']> {
  const speeds = dataset && (await measureSpeeds(target.variants, target, dataset.test));
  const variants: Record<string, Variant> = {};
  for (const [name, file] of target.variants) {
    const { size: bytes } = await stat(file);
    const measured = dataset && (await evaluateModel(file, target, dataset.test)).evaluation;
    const speed = speeds?.get(name);
    variants[name] = {
      file: `${name}.onnx`,
      bytes,
      sha256: await sha256Of(file),
      ...(measured && { accuracy: measured.accuracy }),
      ...(speed && speedForCard(speed)),
    };
  }
  return variants;
}

/** Makes images of seeded noise, in 4 x 4 blocks, so that resizing and layout affect a model's answer. */
async function noiseImages({ input }: Target): Promise<Sample[]> {
  const { width, height } = input;
  const channels = tensorLength(input) / (width * height);
  const numbers = Array.from({ length: goldenImages }, (_, i) => i + 1);
  return await Promise.all(
    numbers.map(async (n) => {
      const random = createRandom(n, 'golden');
      const blocks = Array.from({ length: 16 * channels }, () => 256 * random.next());
      const pixels = Uint8Array.from({ length: width * height * channels }, (_, i) => {
        const [pixel, channel] = [Math.floor(i / channels), i % channels];
        const across = Math.floor((4 * (pixel % width)) / width);
        const down = Math.floor((4 * Math.floor(pixel / width)) / height);
        return Math.floor(0.8 * (blocks[(4 * down + across) * channels + channel] ?? 0) + 50 * random.next());
      });
      return { label: '', file: `noise-${n}.png`, png: await encodePng(pixels, input) };
    }),
  );
}

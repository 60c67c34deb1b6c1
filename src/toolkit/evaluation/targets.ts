// A path that the user names → the variants to evaluate, their input contract, output and labels.
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { InputContract } from '../../inference/image/contract.js';
import { type Card, loadCard, type VariantName } from '../../inference/models/card.js';
import { exists } from '../files.js';
import { lossOf } from '../training/recipe/recipe.js';
import { readRun, runFolder } from '../training/run/run-folder.js';
import { EvaluationError } from './errors.js';
import { type ForeignShape, probeOutput, readForeignShape } from './foreign.js';

export interface Target {
  readonly name: string;
  readonly folder: string;
  /** Whether it is a run, which keeps its report. A published model is not changed. */
  readonly isRun: boolean;
  readonly input: InputContract;
  readonly output: Card['output'];
  readonly labels: readonly string[];
  /** Folder of the dataset that it was trained on, if known. */
  readonly dataset?: string;
  /** Whether to skip files of an image folder that are not images, as in training. */
  readonly skipBad?: boolean;
  /** Files by the name of the variant: a VariantName for runs and published models, else the file's name. */
  readonly variants: ReadonlyMap<string, string>;
}

/** What a file without a card or a run does not state. */
export interface ForeignOptions {
  readonly labels: () => Promise<readonly string[]>;
  /** Returns the input contract of a model that takes such images. */
  readonly contract: (shape: ForeignShape, file: string) => InputContract;
  readonly layout?: InputContract['layout'];
  readonly output?: Card['output'];
}

export const variantNames: readonly VariantName[] = ['float32', 'float16', 'int8', 'binary'];

/** Reads a run or a published model. @throws EvaluationError if the folder is neither. */
export async function resolveTarget(folder: string): Promise<Target> {
  const target = await knownTarget(folder);
  if (target) return target;
  throw new EvaluationError(`${folder}: is neither a run (run.json) nor a published model (card.json)`);
}

/**
 * Reads a run, a published model, an ONNX file, or a folder of ONNX files. For a file beside a run.json or a card.json, these
 * state what it takes.
 * @throws EvaluationError if the path is none of these. @throws ModelError if a file cannot be loaded.
 */
export async function resolveTargets(given: string, foreign: ForeignOptions): Promise<Target[]> {
  if (!given.endsWith('.onnx')) {
    const known = await knownTarget(given);
    if (known) return [known];
    const files = (await readdir(given).catch(() => [])).filter((file) => file.endsWith('.onnx')).sort();
    if (files.length > 0)
      return await Promise.all(files.map((file) => foreignTarget(path.join(given, file), foreign)));
    throw new EvaluationError(
      `${given}: is neither a run (run.json), nor a published model (card.json), nor a folder of ONNX files`,
    );
  }
  if (!(await exists(given))) throw new EvaluationError(`${given}: no such file`);
  const known = await knownTarget(path.dirname(given));
  const entry = [...(known?.variants ?? [])].find(([, file]) => path.resolve(file) === path.resolve(given));
  return [known && entry ? { ...known, variants: new Map([entry]) } : await foreignTarget(given, foreign)];
}

/** Reads an ONNX file. Its folder names the target, and the file names the variant. */
async function foreignTarget(file: string, foreign: ForeignOptions): Promise<Target> {
  const shape = await readForeignShape(file, foreign.layout);
  const input = foreign.contract(shape, file);
  return {
    name: path.basename(path.dirname(path.resolve(file))),
    folder: path.dirname(file),
    isRun: false,
    input,
    output: foreign.output ?? (await probeOutput(file, input)),
    labels: await foreign.labels(),
    variants: new Map([[path.basename(file, '.onnx'), file]]),
  };
}

async function knownTarget(folder: string): Promise<Target | undefined> {
  if (await exists(runFolder(folder).record)) return await runTarget(folder);
  const cardFile = path.join(folder, 'card.json');
  return (await exists(cardFile)) ? cardTarget(folder, await loadCard(cardFile)) : undefined;
}

async function runTarget(folder: string): Promise<Target> {
  const { recipe, labels, dataset } = await readRun(folder);
  const files = new Set(await readdir(folder));
  const variants = variantNames.filter((name) => files.has(`${name}.onnx`));
  if (variants.length === 0) throw new EvaluationError(`${folder}: the run has no exported model`);
  return {
    name: recipe.name,
    folder,
    isRun: true,
    input: recipe.input,
    output: lossOf(recipe).kind,
    labels,
    dataset: dataset.folder,
    skipBad: dataset.skipBad ?? false,
    variants: new Map(variants.map((name) => [name, runFolder(folder).variant(name)])),
  };
}

function cardTarget(folder: string, card: Card): Target {
  const entries = variantNames.flatMap((name) => {
    const variant = card.variants[name];
    return variant ? [[name, path.join(folder, variant.file)] as const] : [];
  });
  return {
    name: card.name,
    folder,
    isRun: false,
    input: card.input,
    output: card.output,
    labels: card.labels,
    dataset: path.join('data', card.provenance?.dataset?.name ?? card.name),
    variants: new Map(entries),
  };
}

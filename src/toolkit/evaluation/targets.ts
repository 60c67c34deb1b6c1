// A path that the user names → the variants to evaluate there, and how pixels enter and labels leave them.
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
  /** A run keeps what was measured; a published model's card is not rewritten. */
  readonly isRun: boolean;
  readonly input: InputContract;
  readonly output: Card['output'];
  readonly labels: readonly string[];
  /** The prepared dataset that it was trained on, where that is known. */
  readonly dataset?: string;
  /** Leave out the files of an image folder that are no images, as in training. */
  readonly skipBad?: boolean;
  /** Files by the name of the variant: of a run or a published model a VariantName, else the file's own. */
  readonly variants: ReadonlyMap<string, string>;
}

/** What a file without card or run cannot say by itself. */
export interface ForeignOptions {
  readonly labels: () => Promise<readonly string[]>;
  /** The contract of a model that says this of itself. */
  readonly contract: (shape: ForeignShape, file: string) => InputContract;
  readonly layout?: InputContract['layout'];
  readonly output?: Card['output'];
}

export const variantNames: readonly VariantName[] = ['float32', 'float16', 'int8', 'binary'];

/** @throws EvaluationError when the path is neither a run nor a published model. */
export async function resolveTarget(folder: string): Promise<Target> {
  const target = await knownTarget(folder);
  if (target) return target;
  throw new EvaluationError(`${folder}: neither a run (run.json) nor a published model (card.json)`);
}

/**
 * A run, a published model, one ONNX file, or a folder of such: files beside a run.json or a card.json are taken by that.
 * @throws EvaluationError when the path is none of these. @throws ModelError when a file can't be loaded.
 */
export async function resolveTargets(given: string, foreign: ForeignOptions): Promise<Target[]> {
  if (!given.endsWith('.onnx')) {
    const known = await knownTarget(given);
    if (known) return [known];
    const files = (await readdir(given).catch(() => [])).filter((file) => file.endsWith('.onnx')).sort();
    if (files.length > 0)
      return await Promise.all(files.map((file) => foreignTarget(path.join(given, file), foreign)));
    throw new EvaluationError(
      `${given}: neither a run (run.json), nor a published model (card.json), nor ONNX files`,
    );
  }
  if (!(await exists(given))) throw new EvaluationError(`${given}: there is no such file`);
  const known = await knownTarget(path.dirname(given));
  const entry = [...(known?.variants ?? [])].find(([, file]) => path.resolve(file) === path.resolve(given));
  return [known && entry ? { ...known, variants: new Map([entry]) } : await foreignTarget(given, foreign)];
}

/** Named after its folder; the variant is the file. */
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
  if (variants.length === 0) throw new EvaluationError(`${folder}: holds no exported model`);
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

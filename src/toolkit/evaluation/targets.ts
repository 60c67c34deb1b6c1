// A path that the user names → the variants to evaluate there, and how pixels enter and labels leave them.
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { type Card, type InputContract, loadCard, type VariantName } from '../../inference/card.js';
import { exists } from '../files.js';
import { lossOf } from '../training/recipe.js';
import { readRun, runFolder } from '../training/run.js';
import { EvaluationError } from './errors.js';

export interface Target {
  readonly name: string;
  readonly folder: string;
  /** A run keeps what was measured; a published model's card is not rewritten. */
  readonly isRun: boolean;
  readonly input: InputContract;
  readonly output: Card['output'];
  readonly labels: readonly string[];
  /** The prepared dataset that it was trained on. */
  readonly dataset: string;
  /** Leave out the files of an image folder that are no images, as in training. */
  readonly skipBad?: boolean;
  readonly variants: ReadonlyMap<VariantName, string>;
}

export const variantNames: readonly VariantName[] = ['float32', 'float16', 'int8', 'binary'];

/** @throws EvaluationError when the path is neither a run nor a published model. */
export async function resolveTarget(folder: string): Promise<Target> {
  if (await exists(runFolder(folder).record)) return runTarget(folder);
  const cardFile = path.join(folder, 'card.json');
  if (await exists(cardFile)) return cardTarget(folder, await loadCard(cardFile));
  throw new EvaluationError(`${folder}: neither a run (run.json) nor a published model (card.json)`);
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

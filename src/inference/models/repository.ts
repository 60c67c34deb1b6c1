// models/<name>/<version>/ → the models that can be served, and the problems of the others.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { CardError, isExhausted } from '../errors.js';
import type { ModelProblem } from '../model-problems.js';
import { chooseFastest, type VariantChoice } from './auto-variant.js';
import { type Card, loadCard, type VariantName } from './card.js';
import { hasExternalData } from './external-data.js';
import { withRegularFile } from './regular-files.js';
import { listPassedOver, listVersionFolders, type VersionFolder } from './version-folders.js';

/** A version with a valid card and complete files. */
export interface StoredModel extends VersionFolder {
  card: Card;
  variant: VariantName;
  /** The reason why this variant is served. */
  variantReason: string;
  variantTrouble?: string;
  /** The compared variants, if variants were compared. */
  figures?: VariantChoice['figures'];
  /** The path of the variant's file. */
  file: string;
}

/** A version that cannot be served; `problem` states the reason, and `code` states it for clients. */
export interface FailedModel extends VersionFolder {
  problem: string;
  code: ModelProblem;
  /** Present if the card and the files are valid, but the model failed when it ran. */
  model?: StoredModel;
}

export interface Repository {
  stored: StoredModel[];
  failed: FailedModel[];
  /** Messages about folders that look like versions and are none. */
  passedOver?: readonly string[];
}

/** Options for reading a folder of models. */
export interface ReadOptions {
  /** Replaces the default variant of each card that has it; auto: the fastest variant that is accurate enough. */
  variant?: VariantName | 'auto' | undefined;
  /** The previous result: unchanged versions are reused and not read again. */
  before?: Repository | undefined;
  /** Options of auto. */
  fastest?: typeof chooseFastest;
}

/**
 * Reads every version of every model. A damaged version does not affect the others.
 * @param models the folder with <name>/<version>/card.json.
 */
export async function readRepository(models: string, options: ReadOptions = {}): Promise<Repository> {
  const { variant, before = { stored: [], failed: [] }, fastest = chooseFastest } = options;
  const choose: Choose = (card, folder) =>
    variant === 'auto' ? fastest(card, folder) : servedVariant(card, variant);
  const passedOver = await listPassedOver(models);
  const repository: Repository = { stored: [], failed: [], ...(passedOver.length > 0 && { passedOver }) };
  for (const place of await listVersionFolders(models)) {
    const failed = before.failed.find((model) => isSame(model, place));
    const stored = before.stored.find(({ key }) => key === place.key);
    if (failed) repository.failed.push(failed);
    else if (stored && isSame(stored, place)) repository.stored.push(stored);
    else {
      try {
        if (place.problem !== undefined) throw new CardError(place.problem, { problem: 'folder_unreadable' });
        repository.stored.push(keepUnchanged(await readVersion(place, choose), stored));
      } catch (error) {
        // The next look may read it. As a failure it would stay until its files change.
        if (isExhausted(error)) throw error;
        const code = error instanceof CardError ? error.problem : 'model_failed';
        repository.failed.push({ ...place, problem: (error as Error).message, code });
      }
    }
  }
  return repository;
}

function isSame(model: VersionFolder, { key, fingerprint }: VersionFolder): boolean {
  return model.key === key && model.fingerprint === fingerprint;
}

/** Keeps the model if its folder was copied or touched but has the same content. */
function keepUnchanged(model: StoredModel, before: StoredModel | undefined): StoredModel {
  if (!before || model.variant !== before.variant || !isDeepStrictEqual(model.card, before.card))
    return model;
  before.fingerprint = model.fingerprint;
  return before;
}

type Choose = (card: Card, folder: string) => VariantChoice | Promise<VariantChoice>;

async function readVersion(place: VersionFolder, choose: Choose): Promise<StoredModel> {
  const { folder, name } = place;
  const card = await loadCard(join(folder, 'card.json'));
  if (card.name !== name)
    throw new CardError(`${join(folder, 'card.json')}: the card is for the model ${card.name}`, {
      problem: 'card_of_other_model',
    });
  for (const { file, bytes, sha256 } of Object.values(card.variants))
    await verifyFile(join(folder, file), { bytes, sha256 });
  const choice = await choose(card, folder);
  const file = card.variants[choice.variant]?.file ?? '';
  return { ...place, card, ...choice, file: join(folder, file) };
}

/** Checks size and checksum of a file. A file of another size is not read. */
async function verifyFile(file: string, wanted: { bytes: number; sha256: string }): Promise<void> {
  const content = await withRegularFile(file, async (handle, size) => {
    if (size !== wanted.bytes)
      throw new CardError(`${file}: expected ${wanted.bytes} bytes, got ${size}`, {
        problem: 'file_differs',
      });
    return await handle.readFile();
  });
  const sha256 = createHash('sha256').update(content).digest('hex');
  if (sha256 !== wanted.sha256)
    throw new CardError(`${file}: expected sha256 ${wanted.sha256}, got ${sha256}`, {
      problem: 'file_differs',
    });
  if (hasExternalData(content))
    throw new CardError(
      `${file}: some of its weights are in another file, which no checksum of the card covers: quati publish writes them into one file`,
      { problem: 'weights_outside' },
    );
}

/** Chooses the requested variant if the card has it, else the card's default. */
function servedVariant(
  card: Pick<Card, 'variants' | 'defaultVariant'>,
  requested: VariantName | undefined,
): VariantChoice {
  if (requested && card.variants[requested])
    return { variant: requested, variantReason: `${requested} was requested` };
  const variant = card.defaultVariant;
  const variantReason = requested
    ? `${requested} was requested, but the card does not have it: ${variant} is the card's default`
    : `${variant} is the card's default`;
  return { variant, variantReason };
}

/** Returns the same version with another variant of its card, if the card has it. */
export function withVariant<Model extends StoredModel>(
  model: Model,
  variant: VariantName,
): Model | undefined {
  if (variant === model.variant) return model;
  const file = model.card.variants[variant]?.file;
  if (file === undefined) return undefined;
  const key = `${model.key}/${variant}`;
  return {
    ...model,
    key,
    variant,
    variantReason: `${variant} was requested`,
    file: join(model.folder, file),
  };
}

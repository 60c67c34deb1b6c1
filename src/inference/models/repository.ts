// models/<name>/<version>/ → the models that can be served, and why the others can't.
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

/** A version whose card and files are whole. */
export interface StoredModel extends VersionFolder {
  card: Card;
  variant: VariantName;
  /** Why this variant is the one that serves. */
  variantReason: string;
  variantTrouble?: string;
  /** Where variants were compared. */
  figures?: VariantChoice['figures'];
  /** Path of the variant's file. */
  file: string;
}

/** A version that can't be served; `problem` says why, and `code` says it to clients. */
export interface FailedModel extends VersionFolder {
  problem: string;
  code: ModelProblem;
  /** Where the card and the files are whole, and it failed when it ran. */
  model?: StoredModel;
}

export interface Repository {
  stored: StoredModel[];
  failed: FailedModel[];
  /** Messages about folders that look like versions and are none. */
  passedOver?: readonly string[];
}

/** How a folder of models is read. */
export interface ReadOptions {
  /** Served where a card has it, instead of the card's default; auto: the fastest that is accurate enough. */
  variant?: VariantName | 'auto' | undefined;
  /** What was read before: versions that are as they were then are taken over, and not read again. */
  before?: Repository | undefined;
  /** What auto does. */
  fastest?: typeof chooseFastest;
}

/**
 * Reads every version of every model. One damaged version leaves the others.
 * @param models the folder that holds <name>/<version>/card.json.
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

/** Of a folder that was copied or touched and holds what it held, the model is the one it was. */
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
    throw new CardError(`${join(folder, 'card.json')}: the card is that of ${card.name}`, {
      problem: 'card_of_other_model',
    });
  for (const { file, bytes, sha256 } of Object.values(card.variants))
    await verifyFile(join(folder, file), { bytes, sha256 });
  const choice = await choose(card, folder);
  const file = card.variants[choice.variant]?.file ?? '';
  return { ...place, card, ...choice, file: join(folder, file) };
}

/** Of another size, a file is not read. */
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
      `${file}: some of its weights lie in another file, which no checksum of the card covers: quati publish puts them inside`,
      { problem: 'weights_outside' },
    );
}

/** The requested variant where the card has it, else the card's default. */
function servedVariant(
  card: Pick<Card, 'variants' | 'defaultVariant'>,
  requested: VariantName | undefined,
): VariantChoice {
  if (requested && card.variants[requested])
    return { variant: requested, variantReason: `${requested} was asked for` };
  const variant = card.defaultVariant;
  const variantReason = requested
    ? `${requested} was asked for, but there is none: ${variant} is the card's default`
    : `${variant} is the card's default`;
  return { variant, variantReason };
}

/** The same version with another of its card's variants, if there is one. */
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
    variantReason: `${variant} was asked for`,
    file: join(model.folder, file),
  };
}

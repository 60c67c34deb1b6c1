// models/<name>/<version>/ → the models that can be served, and why the others can't.
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { chooseFastest, type VariantChoice } from './auto-variant.js';
import { type Card, loadCard, type VariantName } from './card.js';
import { CardError } from './errors.js';

/** A version whose card and files are whole. */
export interface StoredModel {
  /** `<name>/<version>`. */
  key: string;
  name: string;
  version: number;
  folder: string;
  card: Card;
  variant: VariantName;
  /** Why this variant is the one that serves. */
  variantReason: string;
  /** Where variants were compared. */
  figures?: VariantChoice['figures'];
  /** Path of the variant's file. */
  file: string;
}

/** A version that can't be served; `problem` says why. */
export interface FailedModel {
  key: string;
  name: string;
  version: number;
  problem: string;
}

export interface Repository {
  stored: StoredModel[];
  failed: FailedModel[];
}

/**
 * Reads every version of every model; a folder that doesn't exist holds none. One damaged version leaves the others, and
 * folders whose names can't be a model's (lost+found of a volume) are passed over. Links to folders are followed.
 * @param models the folder that holds <name>/<version>/card.json.
 * @param variant served where a card has it, instead of the card's default; auto: the fastest that is accurate enough.
 * @param fastest what auto does.
 */
export async function readRepository(
  models: string,
  variant?: VariantName | 'auto',
  fastest: typeof chooseFastest = chooseFastest,
): Promise<Repository> {
  const choose: Choose = (card, folder) =>
    variant === 'auto' ? fastest(card, folder) : chooseVariant(card, variant);
  const repository: Repository = { stored: [], failed: [] };
  for (const name of (await subfolders(models)).filter(isModelName)) {
    const versions = (await subfolders(join(models, name))).filter(isVersion).map(Number);
    for (const version of versions.sort((a, b) => a - b)) {
      const key = `${name}/${version}`;
      try {
        repository.stored.push(await readVersion(models, name, version, choose));
      } catch (error) {
        repository.failed.push({ key, name, version, problem: (error as Error).message });
      }
    }
  }
  return repository;
}

type Choose = (card: Card, folder: string) => VariantChoice | Promise<VariantChoice>;

async function readVersion(
  models: string,
  name: string,
  version: number,
  choose: Choose,
): Promise<StoredModel> {
  const key = `${name}/${version}`;
  const folder = join(models, name, String(version));
  const card = await loadCard(join(folder, 'card.json'));
  if (card.name !== name)
    throw new CardError(`${join(folder, 'card.json')}: the card is that of ${card.name}`);
  for (const { file, bytes, sha256 } of Object.values(card.variants))
    await verifyFile(join(folder, file), { bytes, sha256 });
  const choice = await choose(card, folder);
  const file = card.variants[choice.variant]?.file ?? '';
  return { key, name, version, folder, card, ...choice, file: join(folder, file) };
}

async function verifyFile(file: string, wanted: { bytes: number; sha256: string }): Promise<void> {
  let content: Buffer;
  try {
    content = await readFile(file);
  } catch (cause) {
    throw new CardError(`${file}: this variant can't be read: ${(cause as Error).message}`, { cause });
  }
  if (content.length !== wanted.bytes)
    throw new CardError(`${file}: expected ${wanted.bytes} bytes, got ${content.length}`);
  const sha256 = createHash('sha256').update(content).digest('hex');
  if (sha256 !== wanted.sha256)
    throw new CardError(`${file}: expected sha256 ${wanted.sha256}, got ${sha256}`);
}

/** The requested variant where the card has it, else the card's default. */
export function chooseVariant(
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
export function withVariant(model: StoredModel, variant: VariantName): StoredModel | undefined {
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

function isVersion(folder: string): boolean {
  return /^[1-9]\d*$/.test(folder);
}

function isModelName(folder: string): boolean {
  return /^[a-z0-9][a-z0-9-]*$/.test(folder);
}

async function subfolders(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const folders = await Promise.all(
      entries.map(
        async (entry) =>
          entry.isDirectory() || (entry.isSymbolicLink() && (await isFolder(join(folder, entry.name)))),
      ),
    );
    return entries.flatMap(({ name }, i) => (folders[i] ? [name] : [])).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** A link that leads nowhere is none. */
async function isFolder(file: string): Promise<boolean> {
  return await stat(file).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

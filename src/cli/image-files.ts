// Files and folders as typed → the images to post, in order, with the category and model that their names give.
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { isImageName, nameKinds } from '../inference/image/kinds.js';
import { leftoverKind } from '../toolkit/datasets/leftovers.js';
import { fileStems, toLabel } from '../toolkit/labels.js';
import { WrongUseError } from './errors.js';

const order = new Intl.Collator('en', { numeric: true });

/**
 * Takes each given file, whatever its name. Takes all files below a folder that have an image's extension, sorted,
 * 2 before 10. Skips what systems leave behind, names with a leading dot, links to folders, and files that were already given.
 * @throws WrongUseError for a path that doesn't exist, or when there is no image at all.
 */
export async function findImages(paths: readonly string[]): Promise<string[]> {
  const found = new Map<string, string>();
  for (const given of paths) {
    for (const file of await imagesAt(given)) {
      const resolved = path.resolve(file);
      if (!found.has(resolved)) found.set(resolved, file);
    }
  }
  if (found.size === 0) throw new WrongUseError(`no ${nameKinds('or')} file in ${paths.join(', ')}`);
  return [...found.values()];
}

async function imagesAt(given: string): Promise<string[]> {
  try {
    return (await stat(given)).isDirectory() ? await imagesBelow(given) : [given];
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new WrongUseError(code === 'ENOENT' ? `${given}: no such file or folder` : `${given}: ${message}`, {
      cause,
    });
  }
}

async function imagesBelow(folder: string): Promise<string[]> {
  const files: string[] = [];
  const entries = await readdir(folder, { withFileTypes: true });
  entries.sort((a, b) => order.compare(a.name, b.name));
  for (const entry of entries) {
    if (leftoverKind(entry.name, entry.isDirectory()) !== undefined) continue;
    const name = path.join(folder, entry.name);
    if (entry.isDirectory()) files.push(...(await imagesBelow(name)));
    else if (isImageName(name)) files.push(name);
  }
  return files;
}

/** The nearest folder above the file that has a model's name: `imgs/mnist/7-1.png` → `mnist`. */
export function modelOf(file: string, models: { has: (name: string) => boolean }): string | undefined {
  const folders = path.dirname(path.resolve(file)).split(path.sep);
  return folders.reverse().find((folder) => models.has(folder));
}

/**
 * The category in a name, `<category>-<n>.<extension>` before `<category>/<anything>`; undefined if there is none. A sample
 * that quati publish wrote has the category's file name instead.
 */
export function categoryOf(file: string, labels: readonly string[]): string | undefined {
  const { name, dir } = path.parse(path.resolve(file));
  const candidates = [/^(.+)-\d+$/.exec(name)?.[1], path.basename(dir)];
  const stems = fileStems(labels);
  for (const candidate of candidates) {
    if (candidate === undefined) continue;
    const label = toLabel(candidate);
    const found = labels.find((known, i) => toLabel(known) === label || stems[i] === candidate);
    if (found !== undefined) return found;
  }
  return undefined;
}

// A folder → the names in it that count: folders and files, sorted, without what systems left behind.
import type { Dirent, Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { type Leftovers, leftoverKind } from './leftovers.js';

export interface FolderContent {
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

/** Reads a folder. Follows links. @param leftovers counts what is passed over. @throws errors of the file system. */
export async function readFolder(folder: string, leftovers: Leftovers): Promise<FolderContent> {
  const folders: string[] = [];
  const files: string[] = [];
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => compareNames(a.name, b.name))) {
    const { name } = entry;
    const type = await followed(folder, entry);
    const kind = leftoverKind(name, type?.isDirectory());
    if (kind !== undefined) leftovers.add(kind, name);
    else if (type === undefined || type.isFile()) files.push(name);
    else if (type.isDirectory()) folders.push(name);
    else leftovers.add('special', name);
  }
  return { folders, files };
}

/** JavaScript's order of strings, of the form NFC, which is the same on every system. */
export function compareNames(a: string, b: string): number {
  const [left, right] = [a.normalize('NFC'), b.normalize('NFC')];
  if (left !== right) return left < right ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A link that leads nowhere is undefined. It stays a file, which cannot be read. */
async function followed(parent: string, entry: Dirent): Promise<Dirent | Stats | undefined> {
  if (!entry.isSymbolicLink()) return entry;
  return await stat(path.join(parent, entry.name)).catch(() => undefined);
}

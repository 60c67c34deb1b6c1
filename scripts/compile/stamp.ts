// The inputs and outputs of a build → whether it must run. A stamp holds one digest of each.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface Build {
  /** The files and folders that the result depends on, with the code of the build. */
  inputs: readonly string[];
  /** The files and folders that it writes. */
  outputs: readonly string[];
  /** The file with both digests. */
  stamp: string;
}

export interface State {
  freshness: 'fresh' | 'inputs changed' | 'outputs changed';
  /** The digest of the current inputs, for the stamp of a build that starts now. */
  read: string;
}

/** Compares contents. Times do not help: a fresh clone and a switched branch have new times everywhere. */
export function stateOf({ inputs, outputs, stamp }: Build): State {
  const read = digestOf(inputs, stamp);
  const [lastRead, written] = existsSync(stamp) ? readFileSync(stamp, 'utf8').split('\n') : [];
  if (written !== digestOf(outputs, stamp)) return { freshness: 'outputs changed', read };
  return { freshness: read === lastRead ? 'fresh' : 'inputs changed', read };
}

/** Records that a build succeeded. `read` is from before the build, because a source may change during it. */
export function writeStamp({ outputs, stamp }: Build, read: string): void {
  writeFileSync(stamp, `${read}\n${digestOf(outputs, stamp)}\n`);
}

function digestOf(places: readonly string[], stamp: string): string {
  const hash = createHash('sha256');
  for (const file of places.flatMap(filesOf).sort())
    if (file !== stamp)
      hash.update(`${file}\0`).update(createHash('sha256').update(readFileSync(file)).digest());
  return hash.digest('hex');
}

/** A file, or all files below a folder; empty if there is neither. */
function filesOf(place: string): string[] {
  const found = statSync(place, { throwIfNoEntry: false });
  if (!found?.isDirectory()) return found ? [place] : [];
  return readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

// A .zip or .tar archive → chosen files of it in a folder.
import { isUtf8 } from 'node:buffer';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { extract } from 'tar';
import yauzl, { type Entry, type ZipFile } from 'yauzl';
import { FolderError } from './errors.js';
import { isLeftoverPath } from './leftovers.js';

/** Unpacks the wanted files, without what systems leave behind. @throws FolderError if the file is not such an archive, or is damaged. */
export async function unpackArchive(
  file: string,
  into: string,
  wanted: (name: string) => boolean,
): Promise<void> {
  await mkdir(into, { recursive: true });
  const unpack = unpackers.find(({ ending }) => ending.test(file))?.unpack;
  if (unpack === undefined) throw new FolderError(`${file}: expected a folder, a .zip, a .tar or a .tar.gz`);
  try {
    await unpack(file, into, (name) => wanted(name) && !isLeftoverPath(name));
  } catch (cause) {
    throw new FolderError(`${file}: cannot be unpacked: ${(cause as Error).message}`, { cause });
  }
}

type Unpack = typeof unpackArchive;

const unpackers: readonly { ending: RegExp; unpack: Unpack }[] = [
  { ending: /\.zip$/i, unpack: unpackZip },
  { ending: /\.(tar|tar\.gz|tgz)$/i, unpack: unpackTar },
];

async function unpackTar(file: string, into: string, wanted: (name: string) => boolean): Promise<void> {
  await extract({ file, cwd: into, strict: true, filter: (name) => wanted(name) });
}

const marksUtf8 = 0x800;
const unicodePath = 0x7075;

/**
 * macOS and many programs write names in UTF-8 without the flag that says so. yauzl reads such names as code page 437. Their
 * ASCII bytes, and so their folders, are the same in both.
 */
function nameOf({ fileName, fileNameRaw, generalPurposeBitFlag, extraFields }: Entry): string {
  const isStated =
    (generalPurposeBitFlag & marksUtf8) !== 0 || extraFields.some(({ id }) => id === unicodePath);
  if (isStated || !isUtf8(fileNameRaw)) return fileName;
  return fileNameRaw.toString('utf8').replaceAll('\\', '/');
}

/** yauzl refuses names that lead out of the folder. */
async function unpackZip(file: string, into: string, wanted: (name: string) => boolean): Promise<void> {
  const zip = await promisify<string, yauzl.Options, ZipFile>(yauzl.open)(file, { lazyEntries: true });
  const openEntry = promisify(
    zip.openReadStream.bind(zip) as (
      entry: Entry,
      done: (error: Error | null, stream: NodeJS.ReadableStream) => void,
    ) => void,
  );
  await new Promise<void>((resolve, reject) => {
    zip.on('error', reject);
    zip.on('end', resolve);
    zip.on('entry', (entry: Entry) => {
      unpackEntry(entry).then(() => zip.readEntry(), reject);
    });
    zip.readEntry();
  });

  async function unpackEntry(entry: Entry): Promise<void> {
    const name = nameOf(entry);
    if (!wanted(name)) return;
    const to = path.join(into, name);
    await mkdir(path.dirname(to), { recursive: true });
    await pipeline(await openEntry(entry), createWriteStream(to));
  }
}

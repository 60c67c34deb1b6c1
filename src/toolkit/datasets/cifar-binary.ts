// The official binary version of CIFAR-10, as an archive or a folder → splits. A record is a label and three planes of 32 x 32.
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Split } from './dataset.js';
import { CifarBinaryError } from './errors.js';
import type { Splits } from './prepare.js';

const side = 32;
const plane = side * side;
const recordBytes = 1 + 3 * plane;
const labelCount = 10;
const trainFiles = [1, 2, 3, 4, 5].map((number) => `data_batch_${number}.bin`);
const testFiles = ['test_batch.bin'];
/** Name of the folder in the archive. */
const archiveFolder = 'cifar-10-batches-bin';

/**
 * Reads the six .bin files.
 * @param from the .tar.gz, the folder that it unpacks to, or the folder above that.
 * @param scratch an empty folder to unpack into.
 * @throws CifarBinaryError naming the file that is missing, cut off, or has a label above 9.
 */
export async function readCifarBinaries(from: string, scratch: string): Promise<Splits> {
  const folder = await findFolder(from, scratch);
  return { train: await readSplit(folder, trainFiles), test: await readSplit(folder, testFiles) };
}

async function findFolder(from: string, scratch: string): Promise<string> {
  const found = await stat(from).catch((cause: Error) => {
    throw new CifarBinaryError(`${from}: cannot be read: ${cause.message}`, { cause });
  });
  const parent = found.isDirectory() ? from : scratch;
  if (!found.isDirectory()) await unpack(from, scratch);
  const inner = path.join(parent, archiveFolder);
  return await stat(inner).then(
    () => inner,
    () => parent,
  );
}

async function unpack(archive: string, into: string): Promise<void> {
  const { extract } = await import('tar');
  const wanted = new Set([...trainFiles, ...testFiles]);
  try {
    await extract({
      file: archive,
      cwd: into,
      strict: true,
      filter: (entry) => entry.endsWith('/') || wanted.has(path.posix.basename(entry)),
    });
  } catch (cause) {
    throw new CifarBinaryError(`${archive}: cannot be unpacked: ${(cause as Error).message}`, { cause });
  }
}

async function readSplit(folder: string, names: readonly string[]): Promise<Split> {
  const files = await Promise.all(names.map((name) => readRecords(path.join(folder, name))));
  const count = files.reduce((sum, bytes) => sum + bytes.length / recordBytes, 0);
  const split: Split = {
    images: new Uint8Array(count * 3 * plane),
    labels: new Uint8Array(count),
    count,
    height: side,
    width: side,
    channels: 3,
  };
  let image = 0;
  for (const [index, bytes] of files.entries()) {
    for (let at = 0; at < bytes.length; at += recordBytes) {
      const label = bytes[at] ?? 0;
      if (label >= labelCount)
        throw new CifarBinaryError(
          `${path.join(folder, names[index] ?? '')}: label ${at / recordBytes}: expected 0…${labelCount - 1}, got ${label}`,
        );
      split.labels[image] = label;
      interleave(bytes.subarray(at + 1, at + recordBytes), split.images, image * 3 * plane);
      image += 1;
    }
  }
  return split;
}

/** Writes planes of red, green and blue as pixels. */
function interleave(planes: Uint8Array, out: Uint8Array, offset: number): void {
  for (let pixel = 0; pixel < plane; pixel++) {
    for (let channel = 0; channel < 3; channel++)
      out[offset + pixel * 3 + channel] = planes[channel * plane + pixel] ?? 0;
  }
}

async function readRecords(file: string): Promise<Uint8Array> {
  const bytes = await readFile(file).catch((cause: Error) => {
    throw new CifarBinaryError(`${file}: cannot be read: ${cause.message}`, { cause });
  });
  if (bytes.length === 0 || bytes.length % recordBytes !== 0)
    throw new CifarBinaryError(
      `${file}: expected whole records of ${recordBytes} bytes, got ${bytes.length} bytes`,
    );
  return bytes;
}

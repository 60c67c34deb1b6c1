// Pixels that were decoded before, by the checksum of their file: the next command on the same images need not decode them.
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { InputContract } from '../../inference/image/contract.js';
import { decoder } from '../../inference/image/decode.js';
import { tensorLength } from '../../inference/image/tensor.js';

export interface DecodeCache {
  /** @param sha256 of the image's file. */
  read(sha256: string): Promise<Uint8Array | undefined>;
  /** A cache that cannot be written is none: nothing is thrown. */
  write(sha256: string, pixels: Uint8Array): Promise<void>;
}

/** Below the datasets, so that it is seen and can be deleted at any time; QUATI_CACHE names another folder, '' none. */
export function decodeCacheFolder(): string | undefined {
  const folder = process.env.QUATI_CACHE ?? path.join('data', '.decoded');
  return folder === '' ? undefined : folder;
}

/** One folder for all that pixels depend on beside the file: the decoder, and the contract but for its scaling. */
export function openDecodeCache(
  root: string,
  { scale: _, mean: __, std: ___, ...geometry }: InputContract,
): DecodeCache {
  const key = createHash('sha256')
    .update(JSON.stringify([decoder, geometry]))
    .digest('hex')
    .slice(0, 16);
  const folder = path.join(root, key);
  const length = tensorLength(geometry);
  let made: Promise<unknown> | undefined;
  return {
    async read(sha256) {
      const pixels = await readFile(path.join(folder, sha256)).catch(() => undefined);
      return pixels?.length === length ? pixels : undefined;
    },
    async write(sha256, pixels) {
      const file = path.join(folder, sha256);
      const beside = `${file}.${process.pid}.tmp`;
      try {
        made ??= mkdir(folder, { recursive: true });
        await made;
        await writeFile(beside, pixels);
        await rename(beside, file);
      } catch {
        await rm(beside, { force: true }).catch(() => undefined);
      }
    },
  };
}

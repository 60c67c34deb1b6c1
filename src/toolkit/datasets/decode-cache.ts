// A cache of decoded pixels, by the checksum of the image file: the next command on the same images does not decode them again.
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { InputContract } from '../../inference/image/contract.js';
import { decoderVersion } from '../../inference/image/decode.js';
import { tensorLength } from '../../inference/image/tensor.js';

export interface DecodeCache {
  /** Returns the pixels of an image, if they are cached. @param sha256 checksum of the image file. */
  read(sha256: string): Promise<Uint8Array | undefined>;
  /** Stores pixels. Does nothing if the cache cannot be written. */
  write(sha256: string, pixels: Uint8Array): Promise<void>;
}

/**
 * Returns the cache's folder. It lies beside the datasets, where users see it; they can delete it at any time. QUATI_CACHE
 * names another folder.
 * @returns undefined if QUATI_CACHE is empty, which turns the cache off.
 */
export function decodeCacheFolder(): string | undefined {
  const folder = process.env.QUATI_CACHE ?? path.join('data', '.decoded');
  return folder === '' ? undefined : folder;
}

/** Opens a cache. It has a folder per decoder and input contract, because pixels depend on these; scaling does not matter. */
export async function openDecodeCache(
  root: string,
  { scale: _, mean: __, std: ___, ...geometry }: InputContract,
): Promise<DecodeCache> {
  const key = createHash('sha256')
    .update(JSON.stringify([await decoderVersion(), geometry]))
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

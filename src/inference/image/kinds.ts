// the table of accepted image formats; the first bytes of an upload → its format.
import { EmptyImageError, UnsupportedTypeError } from '../errors.js';
import { startOf, startsAs } from './magic.js';
import { otherKind } from './other-kinds.js';

interface Kind {
  /** The name for people. */
  title: string;
  mediaType: string;
  /** The extensions of such files in lower case, the usual one first. */
  endings: readonly [string, ...string[]];
  /** Every such file starts with one of these, as Latin-1 text; `?` is any byte. */
  magic: readonly string[];
  /** The part of the name of its loader in libvips: VipsForeignLoad<loader>Buffer. */
  loader: string;
}

/** In the order in which texts list them. Workers and clients load this file, so it must not import anything large. */
export const imageKinds = {
  png: {
    title: 'PNG',
    mediaType: 'image/png',
    endings: ['.png'],
    magic: ['\x89PNG\r\n\x1a\n'],
    loader: 'Png',
  },
  jpeg: {
    title: 'JPEG',
    mediaType: 'image/jpeg',
    endings: ['.jpg', '.jpeg'],
    magic: ['\xff\xd8\xff'],
    loader: 'Jpeg',
  },
  webp: {
    title: 'WebP',
    mediaType: 'image/webp',
    endings: ['.webp'],
    magic: ['RIFF????WEBP'],
    loader: 'Webp',
  },
  gif: {
    title: 'GIF',
    mediaType: 'image/gif',
    endings: ['.gif'],
    magic: ['GIF87a', 'GIF89a'],
    loader: 'Nsgif',
  },
} as const satisfies Record<string, Kind>;

export type ImageKind = keyof typeof imageKinds;

const kinds = Object.entries<Kind>(imageKinds) as [ImageKind, Kind][];
const longestMagic = Math.max(...kinds.flatMap(([, { magic }]) => magic.map(({ length }) => length)));

/** Detects the format from the first bytes alone; undefined if it is not an accepted one. */
export function imageKind(bytes: Uint8Array): ImageKind | undefined {
  const start = startOf(bytes, longestMagic);
  return kinds.find(([, { magic }]) => magic.some((one) => startsAs(start, one)))?.[0];
}

/** @throws EmptyImageError; UnsupportedTypeError, which names the format of the bytes if it is known. */
export function acceptedKind(bytes: Uint8Array): ImageKind {
  if (bytes.length === 0) throw new EmptyImageError('The image is empty: it has 0 bytes');
  const kind = imageKind(bytes);
  if (kind) return kind;
  const other = otherKind(bytes);
  throw new UnsupportedTypeError(
    other
      ? `The file is ${other.title}, not ${nameKinds('or')}: ${other.remedy}`
      : `The bytes are no ${nameKinds('or')} image`,
  );
}

/** Whether the name has the extension of an accepted format. Only the bytes of a file decide its format. */
export function isImageName(file: string): boolean {
  const name = file.toLowerCase();
  return kinds.some(([, { endings }]) => endings.some((ending) => name.endsWith(ending)));
}

/** The list for a sentence: `PNG, JPEG, WebP or GIF`. */
export function nameKinds(conjunction: 'and' | 'or'): string {
  const titles = kinds.map(([, { title }]) => title);
  return `${titles.slice(0, -1).join(', ')} ${conjunction} ${titles.at(-1)}`;
}

export const imageMediaTypes: readonly string[] = kinds.map(([, { mediaType }]) => mediaType);

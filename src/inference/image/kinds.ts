// one table of the kinds of images that are accepted ; the first bytes of an upload → its kind.
import { EmptyImageError, UnsupportedTypeError } from '../errors.js';

interface Kind {
  /** As people write it. */
  title: string;
  mediaType: string;
  /** How names of such files end, in lower case, the usual one first. */
  endings: readonly [string, ...string[]];
  /** The first bytes of every such file as Latin-1 text, one of these; `?` is any byte. */
  magic: readonly string[];
  /** libvips calls what reads it VipsForeignLoad<loader>Buffer. */
  loader: string;
}

/** In the order in which they are named to people. Nothing that is heavy to load may be imported here: workers and clients read it. */
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

/** Judged by the first bytes alone; undefined for everything that isn't accepted. */
export function imageKind(bytes: Uint8Array): ImageKind | undefined {
  const length = Math.min(bytes.length, longestMagic);
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('latin1');
  return kinds.find(([, { magic }]) => magic.some((one) => startsAs(start, one)))?.[0];
}

function startsAs(start: string, magic: string): boolean {
  if (start.length < magic.length) return false;
  for (let i = 0; i < magic.length; i++) if (magic[i] !== '?' && magic[i] !== start[i]) return false;
  return true;
}

/** @throws EmptyImageError, UnsupportedTypeError */
export function acceptedKind(bytes: Uint8Array): ImageKind {
  if (bytes.length === 0) throw new EmptyImageError('The image is empty: it has 0 bytes');
  const kind = imageKind(bytes);
  if (!kind) throw new UnsupportedTypeError(`The bytes are no ${nameKinds('or')} image`);
  return kind;
}

/** Whether the name ends as those of accepted images do; what a file is, its bytes say. */
export function isImageName(file: string): boolean {
  const name = file.toLowerCase();
  return kinds.some(([, { endings }]) => endings.some((ending) => name.endsWith(ending)));
}

/** For a sentence: `PNG, JPEG, WebP or GIF`. */
export function nameKinds(conjunction: 'and' | 'or'): string {
  const titles = kinds.map(([, { title }]) => title);
  return `${titles.slice(0, -1).join(', ')} ${conjunction} ${titles.at(-1)}`;
}

export const imageMediaTypes: readonly string[] = kinds.map(([, { mediaType }]) => mediaType);

// the first bytes of an upload → what kind of image it is, if it is one that is accepted.
import { EmptyImageError, UnsupportedTypeError } from '../errors.js';

export type ImageKind = 'png' | 'jpeg' | 'webp' | 'gif';

/** Judged by the first bytes alone; undefined for everything that isn't accepted. */
export function imageKind(bytes: Uint8Array): ImageKind | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 12)).toString('latin1');
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (text.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (text.startsWith('RIFF') && text.startsWith('WEBP', 8)) return 'webp';
  if (/^GIF8[79]a/.test(text)) return 'gif';
  return undefined;
}

/** @throws EmptyImageError, UnsupportedTypeError */
export function acceptedKind(bytes: Uint8Array): ImageKind {
  if (bytes.length === 0) throw new EmptyImageError('The image is empty: it has 0 bytes');
  const kind = imageKind(bytes);
  if (!kind) throw new UnsupportedTypeError('The bytes are no PNG, JPEG, WebP or GIF image');
  return kind;
}

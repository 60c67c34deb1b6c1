// the first bytes of a file, as Latin-1 text → whether a format's pattern matches them.

/** @param magic the pattern; `?` is any byte. */
export function startsAs(start: string, magic: string): boolean {
  if (start.length < magic.length) return false;
  for (let i = 0; i < magic.length; i++) if (magic[i] !== '?' && magic[i] !== start[i]) return false;
  return true;
}

/** Returns at most the first `length` bytes as Latin-1 text. */
export function startOf(bytes: Uint8Array, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, length)).toString('latin1');
}

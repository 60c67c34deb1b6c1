// the bytes of a base64 text → the bytes that it encodes, piece by piece; no text of that size is made.

const allowed = new Uint8Array(256);
for (const byte of Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_'))
  allowed[byte] = 1;
const [equals, backslash, slash, letterU] = [0x3d, 0x5c, 0x2f, 0x75];

/** A multiple of four characters, which are three bytes. */
const pieceBytes = 128 * 1024;

/** Returns the number of bytes that a text without escapes encodes, if it is base64. */
export function decodedLength(text: Buffer): number {
  return Math.floor((3 * (text.length - paddingOf(text))) / 4);
}

/** @param pause is awaited between two pieces. @returns undefined if the text is not base64, or is empty. */
export async function decodeBase64(text: Buffer, pause: () => Promise<void>): Promise<Buffer | undefined> {
  const end = text.length - paddingOf(text);
  if (end === 0) return undefined;
  const decoded = Buffer.allocUnsafe(decodedLength(text));
  let used = 0;
  for (let from = 0; from < end; from += pieceBytes) {
    if (from > 0) await pause();
    const until = Math.min(end, from + pieceBytes);
    for (let at = from; at < until; at++) if (allowed[text[at] as number] === 0) return undefined;
    used += decoded.write(text.toString('latin1', from, until), used, 'base64');
  }
  return decoded.subarray(0, used);
}

function paddingOf(text: Buffer): number {
  const last = text.length - 1;
  if (text[last] !== equals) return 0;
  return text[last - 1] === equals ? 2 : 1;
}

/**
 * Removes the escapes of JSON, which some clients use for `/`. An escaped character that base64 does not have becomes 0.
 * @param text has valid escapes.
 */
export async function unescapeBase64(text: Buffer, pause: () => Promise<void>): Promise<Buffer> {
  const plain = Buffer.allocUnsafe(text.length);
  let used = 0;
  let next = pieceBytes;
  for (let at = 0; at < text.length; at++) {
    if (at >= next) {
      next += pieceBytes;
      await pause();
    }
    const byte = text[at] as number;
    if (byte !== backslash) plain[used++] = byte;
    else if (text[++at] === letterU) {
      const code = Number.parseInt(text.toString('latin1', at + 1, at + 5), 16);
      plain[used++] = code < 0x80 ? code : 0;
      at += 4;
    } else plain[used++] = text[at] === slash ? slash : 0;
  }
  return plain.subarray(0, used);
}

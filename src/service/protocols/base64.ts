// the bytes of a base64 text, as clients write it → the bytes that it encodes, piece by piece; no text of that size is made.

const allowed = tableOf('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_');
const spaces = Buffer.from(' \t\n\r\f');
const [equals, backslash, letterU, percent, comma] = [0x3d, 0x5c, 0x75, 0x25, 0x2c];
/** The character that follows a backslash in JSON → the one that both stand for. */
const escaped = new Map(['""', '\\\\', '//', 'n\n', 'r\r', 't\t', 'f\f', 'b\b'].map(toEntry));

/** A multiple of four characters, which are three bytes. */
const pieceBytes = 128 * 1024;
/** The longest head of a data: URI, from `data:` to the comma. */
const maxHeadBytes = 1024;

type Pause = () => Promise<void>;

/**
 * Returns the characters of the base64 alone. Escapes of JSON are resolved, white space is removed, and so is the head of a data: URI.
 * @param text between the quotes of JSON. If it is escaped, its escapes are valid.
 * @param pause is awaited between two pieces.
 * @returns undefined for a data: URI that does not say base64.
 */
export async function bareBase64(
  { bytes, isEscaped }: { bytes: Buffer; isEscaped: boolean },
  pause: Pause,
): Promise<Buffer | undefined> {
  const text = isEscaped ? await unescapeJson(bytes, pause) : bytes;
  const head = headOf(text);
  if (head !== undefined && !/;\s*base64\s*$/i.test(head)) return undefined;
  const rest = head === undefined ? text : text.subarray(head.length + 1);
  const escapes = head !== undefined && rest.includes(percent);
  return escapes || spaces.some((space) => rest.includes(space))
    ? await condense(rest, escapes, pause)
    : rest;
}

/** Returns the number of bytes that bare base64 encodes. */
export function decodedLength(text: Buffer): number {
  return Math.floor((3 * (text.length - paddingOf(text))) / 4);
}

/** @param text bare base64, in one of its two alphabets. @returns undefined if it has other characters, or is empty. */
export async function decodeBase64(text: Buffer, pause: Pause): Promise<Buffer | undefined> {
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

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const byte of Buffer.from(characters)) table[byte] = 1;
  return table;
}

function toEntry([from = '', to = '']: string): [number, number] {
  return [from.charCodeAt(0), to.charCodeAt(0)];
}

function paddingOf(text: Buffer): number {
  const last = text.length - 1;
  if (text[last] !== equals) return 0;
  return text[last - 1] === equals ? 2 : 1;
}

/** Returns what precedes the comma of a data: URI; undefined for any other text. */
function headOf(text: Buffer): string | undefined {
  const start = text.toString('latin1', 0, maxHeadBytes);
  if (!/^\s*data:/i.test(start)) return undefined;
  const end = text.subarray(0, maxHeadBytes).indexOf(comma);
  return end === -1 ? undefined : start.slice(0, end);
}

/** Removes the escapes of JSON. A character beyond ASCII becomes 0. */
async function unescapeJson(text: Buffer, pause: Pause): Promise<Buffer> {
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
      const code = hexAt(text, at + 1, 4);
      plain[used++] = code < 0x80 ? code : 0;
      at += 4;
    } else plain[used++] = escaped.get(text[at] as number) ?? 0;
  }
  return plain.subarray(0, used);
}

/** Removes white space, and the escapes of a URI if it has some. An escape that is not valid becomes 0. */
async function condense(text: Buffer, hasEscapes: boolean, pause: Pause): Promise<Buffer> {
  const plain = Buffer.allocUnsafe(text.length);
  const isSpace = tableOf(spaces.toString());
  let used = 0;
  let next = pieceBytes;
  for (let at = 0; at < text.length; at++) {
    if (at >= next) {
      next += pieceBytes;
      await pause();
    }
    let byte = text[at] as number;
    if (hasEscapes && byte === percent) {
      byte = hexAt(text, at + 1, 2);
      at += 2;
    }
    if (isSpace[byte] === 0) plain[used++] = byte;
  }
  return plain.subarray(0, used);
}

/** Returns 0 if the text has no number there. */
function hexAt(text: Buffer, at: number, digits: number): number {
  const code = Number(`0x${text.toString('latin1', at, at + digits)}`);
  return Number.isNaN(code) ? 0 : code;
}

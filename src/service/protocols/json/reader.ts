// the bytes of a JSON text → its values on a tape, slice by slice; refuses what JSON.parse refuses, and what exceeds the limits.
import { JsonLimitError, JsonSyntaxError } from './errors.js';
import { maxNumberBytes, NumberScanner } from './number.js';
import { Tape, tag } from './tape.js';

export interface JsonLimits {
  /** Lists and objects in each other. */
  maxDepth: number;
  /** Values of any kind, and names of an object. */
  maxValues: number;
}

const byteOf = (character: string): number => character.charCodeAt(0);
const [quote, backslash, comma, colon] = [byteOf('"'), byteOf('\\'), byteOf(','), byteOf(':')];
const [openList, closeList, openObject, closeObject] = [byteOf('['), byteOf(']'), byteOf('{'), byteOf('}')];
const [zero, nine, minus, space] = [byteOf('0'), byteOf('9'), byteOf('-'), byteOf(' ')];
const escapes = new Set(Buffer.from('"\\/bfnrt'));
const literals = new Map(
  (['null', 'false', 'true'] as const).map((word) => [byteOf(word), { word, entry: tag[word] }]),
);

/** Of the JSON of floats, as clients write them. Texts with more entries per byte make the tape grow. */
const bytesPerEntry = 16;

/** What comes next in the text. */
const next = {
  value: 0,
  valueOrEnd: 1,
  nameOrEnd: 2,
  name: 3,
  colon: 4,
  commaOrEnd: 5,
  rest: 6,
  end: 7,
} as const;
const expected = [
  'a value',
  'a value or ]',
  'a name or }',
  'a name',
  'a colon',
  'a comma or the end of the list or object',
  'the quote that ends the text',
  'the end of the text',
];

/** Recursion is not used, and a slice ends within any value, so that neither depth nor length matters. */
export class JsonReader {
  readonly tape: Tape;
  readonly #bytes: Buffer;
  readonly #end: number;
  readonly #limits: JsonLimits;
  readonly #numbers = new NumberScanner();
  /** The tape's index of each open list or object. */
  readonly #open: number[] = [];
  #at = 0;
  #next: number = next.value;
  #values = 0;
  /** The first byte of the text that a slice has ended in, its entry, and whether it is a name. */
  #textStart = 0;
  #textEntry: number = tag.text;
  #isName = false;

  constructor(bytes: Buffer, limits: JsonLimits) {
    this.#bytes = bytes;
    this.#end = bytes.length;
    this.#limits = limits;
    this.tape = new Tape(Math.min(limits.maxValues, Math.ceil(bytes.length / bytesPerEntry)));
  }

  /**
   * Reads about so many bytes more. @returns whether the text has ended.
   * @throws JsonSyntaxError, JsonLimitError
   */
  read(bytes: number): boolean {
    const until = Math.min(this.#end, this.#at + bytes);
    while (this.#at < until) {
      if (this.#next === next.rest) this.#readText(until);
      else {
        const byte = this.#bytes[this.#at] as number;
        if (isSpace(byte)) this.#at++;
        else this.#readToken(byte, until);
      }
    }
    if (this.#at < this.#end) return false;
    if (this.#next !== next.end) throw this.#unexpected();
    return true;
  }

  #readToken(byte: number, until: number): void {
    const wanted = this.#next;
    if (wanted === next.commaOrEnd) this.#readAfterValue(byte);
    else if (wanted === next.valueOrEnd && byte === closeList) this.#close();
    else if (wanted === next.value || wanted === next.valueOrEnd) this.#readValue(byte, until);
    else if (wanted === next.nameOrEnd && byte === closeObject) this.#close();
    else if (byte === quote && (wanted === next.name || wanted === next.nameOrEnd)) this.#openText(true);
    else if (wanted === next.colon && byte === colon) {
      this.#at++;
      this.#next = next.value;
    } else throw this.#unexpected();
  }

  #readAfterValue(byte: number): void {
    const inList = this.#inList();
    if (byte === (inList ? closeList : closeObject)) this.#close();
    else if (byte === comma) {
      this.#at++;
      this.#next = inList ? next.value : next.name;
    } else throw this.#unexpected();
  }

  #inList(): boolean {
    const index = this.#open.at(-1);
    return index !== undefined && this.tape.tags[index] === tag.list;
  }

  #readValue(byte: number, until: number): void {
    if (byte === minus || (byte >= zero && byte <= nine)) this.#readNumbers(until);
    else if (byte === quote) this.#openText(false);
    else if (byte === openList) this.#openContainer(tag.list, next.valueOrEnd);
    else if (byte === openObject) this.#openContainer(tag.object, next.nameOrEnd);
    else this.#readLiteral(byte);
  }

  /** Reads a number, and in a list the numbers that follow it. */
  #readNumbers(until: number): void {
    const inList = this.#inList();
    for (;;) {
      this.#count();
      const value = this.#numbers.scan(this.#bytes, this.#at, this.#end);
      const { end } = this.#numbers;
      if (end - this.#at > maxNumberBytes)
        throw new JsonLimitError(`The number at byte ${this.#at} has more than ${maxNumberBytes} characters`);
      this.#at = end;
      if (Number.isNaN(value)) throw this.#unexpected('a digit');
      this.tape.push(tag.number, value);
      this.#finishValue();
      if (!inList || this.#at >= until) return;
      if (this.#bytes[this.#at] !== comma) return;
      this.#at++;
      this.#next = next.value;
      if (this.#at < this.#end && this.#bytes[this.#at] === space) this.#at++;
      const byte = this.#at < this.#end ? (this.#bytes[this.#at] as number) : 0;
      if (byte !== minus && (byte < zero || byte > nine)) return;
    }
  }

  #readLiteral(byte: number): void {
    const literal = literals.get(byte);
    if (!literal) throw this.#unexpected();
    const { word, entry } = literal;
    for (let i = 0; i < word.length; i++, this.#at++)
      if (this.#at >= this.#end || this.#bytes[this.#at] !== word.charCodeAt(i)) throw this.#unexpected(word);
    this.#count();
    this.tape.push(entry, 0);
    this.#finishValue();
  }

  #openContainer(entry: number, first: number): void {
    this.#count();
    if (this.#open.length === this.#limits.maxDepth)
      throw new JsonLimitError(
        `At byte ${this.#at} the body is nested deeper than ${this.#limits.maxDepth} lists and objects`,
      );
    this.#open.push(this.tape.length);
    this.tape.push(entry, 0);
    this.tape.push(tag.second, 0);
    this.#at++;
    this.#next = first;
  }

  #close(): void {
    const index = this.#open.pop() ?? 0;
    this.tape.payloads[index] = this.tape.length;
    this.#at++;
    this.#finishValue();
  }

  /** Counts the value as an item of its list or object. */
  #finishValue(): void {
    const index = this.#open.at(-1);
    if (index === undefined) {
      this.#next = next.end;
      return;
    }
    this.tape.payloads[index + 1] = (this.tape.payloads[index + 1] as number) + 1;
    this.#next = next.commaOrEnd;
  }

  #openText(isName: boolean): void {
    this.#count();
    this.#at++;
    this.#textStart = this.#at;
    this.#textEntry = tag.text;
    this.#isName = isName;
    this.#next = next.rest;
  }

  #readText(until: number): void {
    const bytes = this.#bytes;
    let at = this.#at;
    while (at < until) {
      const byte = bytes[at] as number;
      if (byte === quote) {
        this.#closeText(at);
        return;
      }
      if (byte === backslash) {
        this.#textEntry = tag.escapedText;
        at = this.#skipEscape(at);
      } else if (byte < space) {
        this.#at = at;
        throw this.#unexpected('a text without control characters');
      } else at++;
    }
    this.#at = at;
  }

  #closeText(at: number): void {
    this.tape.push(this.#textEntry, this.#textStart);
    this.tape.push(tag.second, at);
    this.#at = at + 1;
    if (this.#isName) this.#next = next.colon;
    else this.#finishValue();
  }

  /** @returns the place after the escape at `at`. */
  #skipEscape(at: number): number {
    this.#at = at + 1;
    const byte = this.#at < this.#end ? (this.#bytes[this.#at] as number) : -1;
    if (escapes.has(byte)) return at + 2;
    if (byte !== byteOf('u')) throw this.#unexpected('an escape of JSON');
    for (this.#at = at + 2; this.#at < at + 6; this.#at++)
      if (this.#at >= this.#end || !isHexDigit(this.#bytes[this.#at] as number))
        throw this.#unexpected('four hexadecimal digits');
    return this.#at;
  }

  #count(): void {
    if (this.#values === this.#limits.maxValues)
      throw new JsonLimitError(
        `The body has more than ${this.#limits.maxValues} values: the largest batch of the model needs no more`,
      );
    this.#values++;
  }

  #unexpected(wanted = expected[this.#next]): JsonSyntaxError {
    const got = this.#at < this.#end ? describeByte(this.#bytes[this.#at] as number) : 'its end';
    return new JsonSyntaxError(`expected ${wanted} at byte ${this.#at}, got ${got}`);
  }
}

function isSpace(byte: number): boolean {
  return byte === space || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isHexDigit(byte: number): boolean {
  const lower = byte | 0x20;
  return (byte >= zero && byte <= nine) || (lower >= byteOf('a') && lower <= byteOf('f'));
}

function describeByte(byte: number): string {
  return byte > space && byte < 0x7f ? String.fromCharCode(byte) : `0x${byte.toString(16).padStart(2, '0')}`;
}

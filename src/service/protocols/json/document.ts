// the tape of a JSON text → views of its values, and small values as JSON.parse returns them.
import { cut } from '../../cut.js';
import { JsonLimitError } from './errors.js';
import { type Tape, tag } from './tape.js';

export type JsonKind = 'null' | 'boolean' | 'number' | 'text' | 'list' | 'object';

const kinds: readonly JsonKind[] = ['null', 'boolean', 'boolean', 'number', 'text', 'text', 'list', 'object'];

export interface JsonDocument {
  bytes: Buffer;
  tape: Tape;
}

export interface ConvertLimits {
  /** Values of any kind, and names of an object. */
  maxValues: number;
  /** Bytes of one text or name. */
  maxTextBytes: number;
}

/** The longest text of an error about a value. */
const maxDescribed = 40;
const maxNames = 5;

/** A value of a document. It stays on the tape, whatever its size. */
export class JsonView {
  constructor(
    readonly document: JsonDocument,
    /** Of its entry on the tape. */
    readonly index: number,
  ) {}

  get kind(): JsonKind {
    return kinds[this.#tag] ?? 'null';
  }

  /** The items of a list, or the members of an object, where a name may come twice; 0 of other values. */
  get count(): number {
    return this.#tag === tag.list || this.#tag === tag.object ? this.#payload(1) : 0;
  }

  /** The bytes of a text between its quotes, and whether any of them is a backslash. */
  get textBytes(): { bytes: Buffer; isEscaped: boolean } {
    const bytes = this.document.bytes.subarray(this.#payload(0), this.#payload(1));
    return { bytes, isEscaped: this.#tag === tag.escapedText };
  }

  /** Lone halves of UTF-8 become U+FFFD, as in any text that Node decodes. */
  text(): string {
    const { bytes, isEscaped } = this.textBytes;
    return isEscaped ? (JSON.parse(`"${bytes.toString()}"`) as string) : bytes.toString();
  }

  number(): number {
    return this.#payload(0);
  }

  *items(): Generator<JsonView> {
    const [first, end] = [this.index + 2, this.#payload(0)];
    for (let at = first; at < end; at = this.#after(at)) yield new JsonView(this.document, at);
  }

  /** A name that comes twice is passed twice. */
  *members(): Generator<[name: JsonView, value: JsonView]> {
    let name: JsonView | undefined;
    for (const item of this.items()) {
      if (name) yield [name, item];
      name = name ? undefined : item;
    }
  }

  /** Describes the value in a few characters, for an error. */
  describe(): string {
    switch (this.kind) {
      case 'list':
        return `a list of ${this.count}`;
      case 'object':
        return `an object with ${this.#describeNames() || 'no keys'}`;
      case 'text':
        return cut(`"${this.startOfText()}"`, maxDescribed);
      case 'number':
        return String(this.number());
      case 'null':
        return 'null';
      default:
        return String(this.#tag === tag.true);
    }
  }

  #describeNames(): string {
    const names: string[] = [];
    for (const [name] of this.members()) {
      if (names.length === maxNames) break;
      names.push(cut(name.startOfText(), maxDescribed));
    }
    return names.join(', ');
  }

  /** The text, or a part of it if it is longer than names and described values are. */
  startOfText(): string {
    const { bytes, isEscaped } = this.textBytes;
    // A character has at most four bytes.
    return bytes.length <= 4 * maxDescribed && isEscaped
      ? this.text()
      : bytes.subarray(0, 4 * maxDescribed).toString();
  }

  get #tag(): number {
    return this.document.tape.tags[this.index] as number;
  }

  #payload(offset: number): number {
    return this.document.tape.payloads[this.index + offset] as number;
  }

  /** The index of the value after the one at `index`. */
  #after(index: number): number {
    const { tags, payloads } = this.document.tape;
    const entry = tags[index] as number;
    if (entry < tag.text) return index + 1;
    return entry < tag.list ? index + 2 : (payloads[index] as number);
  }
}

/**
 * Converts a value to what JSON.parse returns, except that members of the names in `kept` stay views.
 * @throws JsonLimitError if more than the limits would be converted.
 */
export function convert(
  view: JsonView,
  { maxValues, maxTextBytes }: ConvertLimits,
  kept: ReadonlySet<string> = new Set(),
): unknown {
  let values = 0;
  const count = () => {
    if (values++ === maxValues)
      throw new JsonLimitError(`Outside its tensors the body has more than ${maxValues} values`);
  };
  const text = (one: JsonView): string => {
    if (one.textBytes.bytes.length > maxTextBytes)
      throw new JsonLimitError(
        `${cut(one.describe())}: expected a text of at most ${maxTextBytes} bytes, got ${one.textBytes.bytes.length}`,
      );
    return one.text();
  };
  const convertOne = (one: JsonView): unknown => {
    count();
    switch (one.kind) {
      case 'list':
        return Array.from(one.items(), convertOne);
      case 'object':
        return Object.fromEntries(convertMembers(one));
      case 'text':
        return text(one);
      case 'number':
        return one.number();
      case 'boolean':
        return one.describe() === 'true';
      default:
        return null;
    }
  };
  function* convertMembers(one: JsonView): Generator<[string, unknown]> {
    for (const [name, value] of one.members()) {
      count();
      const key = text(name);
      yield [key, kept.has(key) ? value : convertOne(value)];
    }
  }
  return convertOne(view);
}

// the values of a JSON text in the order of the text, in two typed arrays that grow: no object per value.

/**
 * What an entry is. A number has its value as payload. A text takes two entries, whose payloads are its first byte and the byte after
 * its last one, without the quotes. So does a list or an object: the index after its last entry, and its number of items.
 */
export const tag = {
  null: 0,
  false: 1,
  true: 2,
  number: 3,
  text: 4,
  /** A text with a backslash in it. */
  escapedText: 5,
  list: 6,
  object: 7,
  /** The second entry of a text, a list or an object. */
  second: 8,
} as const;

const minRoom = 256;

export class Tape {
  tags: Uint8Array;
  payloads: Float64Array;
  length = 0;

  /** @param room for so many entries; it grows if there are more. */
  constructor(room: number) {
    const first = Math.max(minRoom, room);
    this.tags = new Uint8Array(first);
    this.payloads = new Float64Array(first);
  }

  push(entry: number, payload: number): void {
    if (this.length === this.tags.length) this.#grow();
    this.tags[this.length] = entry;
    this.payloads[this.length++] = payload;
  }

  #grow(): void {
    const { tags, payloads } = this;
    this.tags = new Uint8Array(2 * tags.length);
    this.tags.set(tags);
    this.payloads = new Float64Array(2 * payloads.length);
    this.payloads.set(payloads);
  }
}

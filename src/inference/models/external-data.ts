// The bytes of an ONNX file → whether some of its weights are in other files.

/** The paths to tensors in the messages of onnx.proto: field numbers, from the model down. */
const fields = {
  graph: 7,
  node: 1,
  initializer: 5,
  attribute: 5,
  tensor: 5,
  subgraph: 6,
  tensors: 10,
  subgraphs: 11,
};
const tensorFields = { externalData: 13, dataLocation: 14 };
const sparseInitializer = 15;
const external = 1;

/**
 * Finds external data. ONNX Runtime would read such files from any path that the model names, and no checksum of the card covers them.
 * @returns whether a tensor of the model, its subgraphs or its attributes has external data; false for bytes that are not ONNX.
 */
export function hasExternalData(model: Uint8Array): boolean {
  return someField(model, fields.graph, graphHasExternalData);
}

function graphHasExternalData(graph: Uint8Array): boolean {
  return (
    someField(graph, fields.initializer, tensorIsExternal) ||
    someField(
      graph,
      sparseInitializer,
      (sparse) => someField(sparse, 1, tensorIsExternal) || someField(sparse, 2, tensorIsExternal),
    ) ||
    someField(graph, fields.node, (node) => someField(node, fields.attribute, attributeHasExternalData))
  );
}

function attributeHasExternalData(attribute: Uint8Array): boolean {
  return (
    [fields.tensor, fields.tensors].some((field) => someField(attribute, field, tensorIsExternal)) ||
    [fields.subgraph, fields.subgraphs].some((field) => someField(attribute, field, graphHasExternalData))
  );
}

function tensorIsExternal(tensor: Uint8Array): boolean {
  for (const { number, value } of readFields(tensor))
    if (number === tensorFields.externalData || (number === tensorFields.dataLocation && value === external))
      return true;
  return false;
}

function someField(message: Uint8Array, wanted: number, holds: (content: Uint8Array) => boolean): boolean {
  for (const { number, content } of readFields(message))
    if (number === wanted && content && holds(content)) return true;
  return false;
}

interface Field {
  number: number;
  /** The value of a varint. */
  value?: number;
  /** The content of a field with a length. */
  content?: Uint8Array;
}

/**
 * Yields the fields of a message: a tag, then a varint, 8 bytes, a length and content, or 4 bytes. Stops at the first error.
 * https://protobuf.dev/programming-guides/encoding
 */
function* readFields(message: Uint8Array): Generator<Field> {
  for (let at = 0; at < message.length; ) {
    const tag = readVarint(message, at);
    const number = Math.floor(tag.value / 8);
    at = tag.end;
    switch (tag.value % 8) {
      case 0: {
        const { value, end } = readVarint(message, at);
        yield { number, value };
        at = end;
        break;
      }
      case 1:
        at += 8;
        break;
      case 2: {
        const length = readVarint(message, at);
        at = length.end + length.value;
        yield { number, content: message.subarray(length.end, at) };
        break;
      }
      case 5:
        at += 4;
        break;
      default:
        return;
    }
  }
}

/** Reads a varint: seven bits per byte, the lowest first; the eighth bit is set if more bytes follow. The fields here are below 2⁵³. */
function readVarint(message: Uint8Array, from: number): { value: number; end: number } {
  let value = 0;
  for (let at = from, factor = 1; at < message.length && at < from + 10; at++, factor *= 128) {
    const byte = message[at] ?? 0;
    value += (byte % 128) * factor;
    if (byte < 128) return { value, end: at + 1 };
  }
  return { value: 0, end: message.length };
}

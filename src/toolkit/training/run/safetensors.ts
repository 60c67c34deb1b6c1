// named float32 tensors and text metadata ⇄ a .safetensors file: https://huggingface.co/docs/safetensors
import { type Static, Type } from '#typebox';
import { Compile } from '#typebox/compile';
import { elementCount, type TensorData } from '../../graph/graph.js';
import { CheckpointError } from '../errors.js';

export interface Safetensors {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, TensorData>;
}

const Size = Type.Integer({ minimum: 0 });
const HeaderEntry = Type.Object({
  dtype: Type.String(),
  shape: Type.Array(Size),
  data_offsets: Type.Tuple([Size, Size]),
});
type HeaderEntry = Static<typeof HeaderEntry>;

const isHeader = Compile(Type.Record(Type.String(), Type.Unknown()));
const isMetadata = Compile(Type.Record(Type.String(), Type.String()));
const isEntry = Compile(HeaderEntry);

/** Eight bytes of header length, a JSON header padded to eight bytes, then the data in the order of the header. */
export function encodeSafetensors({ metadata, tensors }: Safetensors): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { dataType, dims, bytes }] of tensors) {
    if (dataType !== 'float32') throw new CheckpointError(`${name}: expected float32, got ${dataType}`);
    header[name] = { dtype: 'F32', shape: dims, data_offsets: [offset, offset + bytes.byteLength] };
    offset += bytes.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([json, Buffer.alloc((8 - (json.byteLength % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.byteLength));
  return Buffer.concat([length, padded, ...[...tensors.values()].map(({ bytes }) => bytes)]);
}

/** @throws CheckpointError with the name of the file if it is truncated, malformed, or holds other types than float32. */
export function decodeSafetensors(bytes: Uint8Array, file: string): Safetensors {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = buffer.byteLength >= 8 ? Number(buffer.readBigUInt64LE()) : 0;
  if (headerLength < 2 || headerLength > buffer.byteLength - 8) {
    throw new CheckpointError(`${file}: not a safetensors file: header of ${headerLength} bytes`);
  }
  const { __metadata__: metadata = {}, ...entries } = parseHeader(buffer.subarray(8, 8 + headerLength), file);
  const data = buffer.subarray(8 + headerLength);
  if (!isMetadata.Check(metadata)) throw new CheckpointError(`${file}: its metadata: expected only text`);
  const tensors = Object.entries(entries).map(([name, entry]) => {
    if (!isEntry.Check(entry)) {
      throw new CheckpointError(`${file}: ${name}: expected dtype, shape and data_offsets`);
    }
    return [name, tensorOf(entry, data, `${file}: ${name}`)] as const;
  });
  return { metadata, tensors: new Map(tensors) };
}

function parseHeader(json: Buffer, file: string): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(json.toString());
  } catch (cause) {
    throw new CheckpointError(`${file}: not a safetensors file: ${(cause as Error).message}`, { cause });
  }
  if (isHeader.Check(header)) return header;
  throw new CheckpointError(`${file}: not a safetensors file: its header is not an object`);
}

function tensorOf(
  { dtype, shape, data_offsets: [start, end] }: HeaderEntry,
  data: Buffer,
  where: string,
): TensorData {
  if (dtype !== 'F32') throw new CheckpointError(`${where}: expected F32, got ${dtype}`);
  const expected = elementCount(shape) * 4;
  if (end - start !== expected || end > data.byteLength) {
    throw new CheckpointError(
      `${where}: [${shape.join(', ')}] needs ${expected} bytes, got ${Math.max(0, Math.min(end, data.byteLength) - start)}`,
    );
  }
  return { dataType: 'float32', dims: shape, bytes: data.subarray(start, end) };
}

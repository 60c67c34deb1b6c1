// Typed arrays ⇄ the constant tensors of a graph.
import { GraphError } from './errors.js';
import { type DataType, elementCount, type TensorData } from './graph.js';

const bytesPerElement: Record<DataType, number> = {
  float32: 4,
  float16: 2,
  uint8: 1,
  int8: 1,
  int32: 4,
  int64: 8,
  bool: 1,
};

export function byteLength(dataType: DataType, dims: readonly number[]): number {
  return elementCount(dims) * bytesPerElement[dataType];
}

export function float32Tensor(values: ArrayLike<number>, dims: readonly number[]): TensorData {
  return fromArray('float32', Float32Array.from(values), dims);
}

export function int64Tensor(
  values: readonly number[],
  dims: readonly number[] = [values.length],
): TensorData {
  return fromArray('int64', BigInt64Array.from(values, BigInt), dims);
}

export function int32Tensor(values: ArrayLike<number>, dims: readonly number[]): TensorData {
  return fromArray('int32', Int32Array.from(values), dims);
}

export function int8Tensor(values: ArrayLike<number>, dims: readonly number[]): TensorData {
  return fromArray('int8', Int8Array.from(values), dims);
}

export function uint8Tensor(values: ArrayLike<number>, dims: readonly number[]): TensorData {
  return fromArray('uint8', Uint8Array.from(values), dims);
}

/** Returns a view if the bytes are aligned, else a copy. @throws GraphError if the data is not float32. */
export function toFloat32Array({ dataType, bytes }: TensorData): Float32Array {
  if (dataType !== 'float32') throw new GraphError(`expected float32 data, got ${dataType}`);
  // `new` copies. A Buffer's `slice` would be a view.
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
}

/** Returns integers and booleans as plain numbers. @throws GraphError if the data has another type. */
export function toIntegers(tensor: TensorData): number[] {
  const view = new DataView(tensor.bytes.buffer, tensor.bytes.byteOffset, tensor.bytes.byteLength);
  const read: Partial<Record<DataType, (index: number) => number>> = {
    int64: (index) => Number(view.getBigInt64(index * 8, true)),
    int32: (index) => view.getInt32(index * 4, true),
    int8: (index) => view.getInt8(index),
    uint8: (index) => view.getUint8(index),
    bool: (index) => view.getUint8(index),
  };
  const readAt = read[tensor.dataType];
  if (!readAt) throw new GraphError(`expected integer data, got ${tensor.dataType}`);
  return Array.from({ length: elementCount(tensor.dims) }, (_, index) => readAt(index));
}

export function boolTensor(values: ArrayLike<number>, dims: readonly number[]): TensorData {
  return { ...uint8Tensor(values, dims), dataType: 'bool' };
}

function fromArray(
  dataType: DataType,
  array: Float32Array | BigInt64Array | Int32Array | Int8Array | Uint8Array,
  dims: readonly number[],
): TensorData {
  if (array.length !== elementCount(dims)) {
    throw new GraphError(`[${dims.join(', ')}] holds ${elementCount(dims)} values, got ${array.length}`);
  }
  return { dataType, dims, bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength) };
}

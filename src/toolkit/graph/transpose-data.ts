// A constant tensor and an order of its axes → the tensor with its axes in that order.
import type { TensorData } from './graph.js';
import { float32Tensor, toFloat32Array } from './tensor-data.js';

/** out[i_perm[0], i_perm[1], …] = in[i_0, i_1, …], as in ONNX's Transpose. */
export function transposeData(data: TensorData, perm: readonly number[]): TensorData {
  const strides = data.dims.map((_, axis) => data.dims.slice(axis + 1).reduce((a, b) => a * b, 1));
  const dims = perm.map((axis) => data.dims[axis] ?? 0);
  const steps = perm.map((axis) => strides[axis] ?? 0);
  const values = toFloat32Array(data);
  const at = new Array<number>(dims.length).fill(0);
  const out = new Float32Array(values.length);
  for (let i = 0; i < out.length; i++) {
    out[i] = values[at.reduce((offset, index, axis) => offset + index * (steps[axis] ?? 0), 0)] ?? 0;
    advance(at, dims);
  }
  return float32Tensor(out, dims);
}

/** Moves an index to the next one in row-major order. */
function advance(at: number[], dims: readonly number[]): void {
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    at[axis] = ((at[axis] ?? 0) + 1) % (dims[axis] ?? 1);
    if (at[axis] !== 0) return;
  }
}

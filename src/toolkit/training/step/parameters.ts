// The parameters of an architecture, as one flat vector and by name, and the conversions between both.
import { buildForward, type ParameterSource, type ParameterSpec } from '../../architectures/forward.js';
import type { Architecture } from '../../architectures/layers.js';
import { elementCount, type TensorData } from '../../graph/graph.js';
import { float32Tensor, toFloat32Array } from '../../graph/tensor-data.js';
import { CheckpointError } from '../errors.js';
import { zeros } from './initialisers.js';
import { layoutOf, type ParameterLayout } from './step-graph.js';

export interface Parameters {
  readonly layout: ParameterLayout;
  readonly tensors: ReadonlyMap<string, TensorData>;
}

/** Goes through the architecture once, and gets every parameter from `source`. */
export function collectParameters(architecture: Architecture, source: ParameterSource): Parameters {
  const collected = new Map<string, TensorData>();
  const graph = buildForward(architecture, {
    batch: 1,
    parameter(spec) {
      const data = source(spec);
      collected.set(spec.name, data);
      return data;
    },
  });
  return { layout: layoutOf(graph, [...collected.keys()]), tensors: collected };
}

/** The parameters of an architecture, without values: enough to read them from a file. */
export function parameterLayout(architecture: Architecture): ParameterLayout {
  return collectParameters(architecture, zeros).layout;
}

/** Trained parameters. @throws CheckpointError if one is missing or has another shape. */
export function fromTensors(tensors: ReadonlyMap<string, TensorData>, where: string): ParameterSource {
  return (spec) => tensorNamed(tensors, spec, where);
}

function tensorNamed(
  tensors: ReadonlyMap<string, TensorData>,
  { name, shape }: Pick<ParameterSpec, 'name' | 'shape'>,
  where: string,
): TensorData {
  const data = tensors.get(name);
  const expected = `[${shape.join(', ')}]`;
  if (!data) throw new CheckpointError(`${where}: parameter ${name} ${expected} is missing`);
  if (data.dims.join() !== shape.join()) {
    throw new CheckpointError(
      `${where}: parameter ${name}: expected ${expected}, got [${data.dims.join(', ')}]`,
    );
  }
  return data;
}

/** One vector of `layout.length` values, in the order of the layout. */
export function tensorsToVector(
  layout: ParameterLayout,
  tensors: ReadonlyMap<string, TensorData>,
  where: string,
): Float32Array {
  const flat = new Float32Array(layout.length);
  let offset = 0;
  for (const entry of layout.entries) {
    const values = toFloat32Array(tensorNamed(tensors, entry, where));
    flat.set(values, offset);
    offset += values.length;
  }
  return flat;
}

export function vectorToTensors(layout: ParameterLayout, flat: Float32Array): Map<string, TensorData> {
  let offset = 0;
  return new Map(
    layout.entries.map(({ name, shape }) => {
      const values = flat.subarray(offset, offset + elementCount(shape));
      offset += values.length;
      return [name, float32Tensor(values, shape)];
    }),
  );
}

/** The number of learned values. Running statistics are not learned. */
export function learnedCount({ entries }: ParameterLayout): number {
  return entries.reduce((sum, { shape, learned }) => sum + (learned ? elementCount(shape) : 0), 0);
}

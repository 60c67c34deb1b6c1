// The shapes that operators give, each from its node and the shapes that it takes.
import { GraphError } from './errors.js';
import {
  type DataType,
  type Dim,
  formatType,
  intAttribute,
  intsAttribute,
  type Node,
  type TensorType,
} from './graph.js';

export interface NodeContext {
  readonly node: Node;
  /** Returns the type of input i. @throws GraphError if the node has no such input. */
  input(i: number): TensorType;
  /** Returns the integers of input i; undefined if it is missing. @throws GraphError if it is not a constant. */
  constant(i: number): number[] | undefined;
}

export type Rule = (context: NodeContext) => TensorType[];

export const sameAsFirst: Rule = ({ input }) => [input(0)];

export const elementwise: Rule = ({ input, node }) => [
  { dataType: input(0).dataType, shape: broadcast(input(0).shape, input(1).shape, node) },
];

export function describe(node: Node): string {
  return node.name === node.op ? node.op : `${node.op} ${node.name}`;
}

export function withShape(type: TensorType, shape: readonly Dim[]): TensorType {
  return { dataType: type.dataType, shape };
}

export function keepsDims(node: Node): boolean {
  return intAttribute(node, 'keepdims', 1) === 1;
}

export function broadcast(a: readonly Dim[], b: readonly Dim[], node: Node): Dim[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[a.length - rank + axis] ?? 1;
    const right = b[b.length - rank + axis] ?? 1;
    if (left === right || right === 1) return left;
    if (left === 1) return right;
    throw new GraphError(`${describe(node)}: [${a.join(', ')}] and [${b.join(', ')}] do not broadcast`);
  });
}

export function castTarget(node: Node): DataType {
  const targets: Record<number, DataType> = {
    1: 'float32',
    2: 'uint8',
    3: 'int8',
    6: 'int32',
    7: 'int64',
    9: 'bool',
    10: 'float16',
  };
  const target = targets[intAttribute(node, 'to', 0)];
  if (!target) throw new GraphError(`${describe(node)}: cannot cast to type ${intAttribute(node, 'to', 0)}`);
  return target;
}

export function concatShape({ node, input }: NodeContext): TensorType[] {
  const first = input(0);
  const axis = normaliseAxis(intAttribute(node, 'axis', 0), first.shape.length);
  const others = (shape: readonly Dim[]) => shape.filter((_, i) => i !== axis).join();
  const sizes = node.inputs.map((_, i) => {
    const { shape } = input(i);
    if (others(shape) !== others(first.shape)) {
      throw new GraphError(
        `${describe(node)}: input ${i}: expected [${first.shape.join(', ')}] except on axis ${axis}, got [${shape.join(', ')}]`,
      );
    }
    return numericDim(shape[axis], node);
  });
  const shape = first.shape.map((dim, i) => (i === axis ? sizes.reduce((a, b) => a + b, 0) : dim));
  return [withShape(first, shape)];
}

export function flattenShape(node: Node, shape: readonly Dim[]): Dim[] {
  const axis = intAttribute(node, 'axis', 1);
  return [product(shape.slice(0, axis), node), product(shape.slice(axis), node)];
}

/** The shape of the indices replaces the axis. */
export function gatherShape(node: Node, shape: readonly Dim[], indices: readonly Dim[]): Dim[] {
  const given = intAttribute(node, 'axis', 0);
  const axis = given < 0 ? given + shape.length : given;
  if (axis < 0 || axis >= shape.length) {
    throw new GraphError(`${describe(node)}: axis ${given} does not exist in [${shape.join(', ')}]`);
  }
  return [...shape.slice(0, axis), ...indices, ...shape.slice(axis + 1)];
}

function product(dims: readonly Dim[], node: Node): Dim {
  const [only] = dims;
  if (dims.length === 1 && only !== undefined) return only;
  return dims.reduce<number>((size, dim) => size * numericDim(dim, node), 1);
}

export function gemmShape({ node, input }: NodeContext): TensorType[] {
  const [rows, inner] = transposedIf(input(0).shape, intAttribute(node, 'transA', 0));
  const [innerB, columns] = transposedIf(input(1).shape, intAttribute(node, 'transB', 0));
  if (rows === undefined || columns === undefined || inner !== innerB) {
    throw new GraphError(
      `${describe(node)}: inner dimensions of ${formatType(input(0))} and ${formatType(input(1))} differ`,
    );
  }
  const bias = node.inputs[2] ? input(2).shape : [];
  if (broadcast([rows, columns], bias, node).join() !== [rows, columns].join()) {
    throw new GraphError(
      `${describe(node)}: bias: expected a shape that broadcasts to [${rows}, ${columns}], got [${bias.join(', ')}]`,
    );
  }
  return [withShape(input(0), [rows, columns])];
}

function transposedIf(shape: readonly Dim[], transposed: number): readonly Dim[] {
  return transposed ? [...shape].reverse() : shape;
}

export function matMulShape(node: Node, a: readonly Dim[], b: readonly Dim[]): Dim[] {
  const inner = a.at(-1);
  const rows = a.at(-2);
  const columns = b.at(-1);
  if (rows === undefined || columns === undefined || inner !== b.at(-2)) {
    throw new GraphError(`${describe(node)}: cannot multiply [${a.join(', ')}] by [${b.join(', ')}]`);
  }
  return [...broadcast(a.slice(0, -2), b.slice(0, -2), node), rows, columns];
}

export function padShape(node: Node, shape: readonly Dim[], pads: readonly number[]): Dim[] {
  return shape.map((dim, axis) => {
    const added = (pads[axis] ?? 0) + (pads[axis + shape.length] ?? 0);
    return added === 0 ? dim : numericDim(dim, node) + added;
  });
}

export function reduceShape(
  node: Node,
  shape: readonly Dim[],
  axes: readonly number[],
  keep: boolean,
): Dim[] {
  const all = axes.length === 0 ? shape.map((_, axis) => axis) : axes;
  const reduced = new Set(all.map((axis) => normaliseAxis(axis, shape.length)));
  if ([...reduced].some((axis) => axis < 0 || axis >= shape.length)) {
    throw new GraphError(
      `${describe(node)}: axes ${axes.join(', ')} do not all exist in [${shape.join(', ')}]`,
    );
  }
  return keep ? shape.map((dim, i) => (reduced.has(i) ? 1 : dim)) : shape.filter((_, i) => !reduced.has(i));
}

export function reshapeShape(node: Node, shape: readonly Dim[], target: readonly number[]): Dim[] {
  const copied = target.map((dim, axis) => (dim === 0 ? (shape[axis] ?? 0) : dim));
  const symbolic = shape.filter((dim) => typeof dim === 'string');
  const kept = copied.filter((dim) => typeof dim === 'string');
  if (symbolic.length > 1 || (symbolic.length === 1 && kept.length === 0)) {
    return copied.map((dim) => (dim === -1 ? '?' : dim));
  }
  const size = shape.reduce<number>((n, dim) => n * (typeof dim === 'number' ? dim : 1), 1);
  const rest = copied.reduce<number>((n, dim) => n * (typeof dim === 'number' && dim !== -1 ? dim : 1), 1);
  if (copied.includes(-1) ? size % rest !== 0 : size !== rest) {
    throw new GraphError(
      `${describe(node)}: [${shape.join(', ')}] cannot be reshaped to [${target.join(', ')}]`,
    );
  }
  return copied.map((dim) => (dim === -1 ? size / rest : dim));
}

export function sliceShape({ node, input, constant }: NodeContext): TensorType[] {
  const shape = [...input(0).shape];
  const starts = constant(1) ?? [];
  const ends = constant(2) ?? [];
  const axes = constant(3) ?? starts.map((_, i) => i);
  const steps = constant(4) ?? starts.map(() => 1);
  axes.forEach((rawAxis, i) => {
    const axis = normaliseAxis(rawAxis, shape.length);
    const size = numericDim(shape[axis], node);
    const step = steps[i] ?? 1;
    // A slice with a negative step runs down to 0 at most: its end, which is exclusive, may be -1.
    const [lowest, highest] = step > 0 ? [0, size] : [-1, size - 1];
    const clamp = (bound: number, low: number) =>
      Math.min(Math.max(bound < 0 ? bound + size : bound, low), highest);
    const length = Math.ceil((clamp(ends[i] ?? size, lowest) - clamp(starts[i] ?? 0, 0)) / step);
    shape[axis] = Math.max(length, 0);
  });
  return [withShape(input(0), shape)];
}

export function splitShapes({ node, input, constant }: NodeContext): TensorType[] {
  const axis = normaliseAxis(intAttribute(node, 'axis', 0), input(0).shape.length);
  const sizes = constant(1) ?? [];
  const size = numericDim(input(0).shape[axis], node);
  const total = sizes.reduce((a, b) => a + b, 0);
  if (total !== size)
    throw new GraphError(`${describe(node)}: the parts add up to ${total}, but the axis holds ${size}`);
  return sizes.map((part) =>
    withShape(
      input(0),
      input(0).shape.map((dim, i) => (i === axis ? part : dim)),
    ),
  );
}

export function isChannelsLast(node: Node): boolean {
  return intAttribute(node, 'channels_last', 0) === 1;
}

export function permute(shape: readonly Dim[], perm: readonly number[]): Dim[] {
  return perm.map((axis) => shape[axis] ?? 0);
}

export function upsampleShape(shape: readonly Dim[], scales: readonly number[], node: Node): Dim[] {
  return shape.map((dim, axis) => (scales[axis] === 1 ? dim : numericDim(dim, node) * (scales[axis] ?? 1)));
}

export function transposeShape(node: Node, shape: readonly Dim[]): Dim[] {
  const perm = intsAttribute(
    node,
    'perm',
    shape.map((_, i) => shape.length - 1 - i),
  );
  if ([...perm].sort((a, b) => a - b).join() !== shape.map((_, axis) => axis).join()) {
    throw new GraphError(
      `${describe(node)}: perm: expected each of ${shape.length} axes once, got [${perm.join(', ')}]`,
    );
  }
  return permute(shape, perm);
}

export function normaliseAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

function numericDim(dim: Dim | undefined, node: Node): number {
  if (typeof dim === 'number') return dim;
  throw new GraphError(`${describe(node)}: expected a number for dimension ${dim ?? '(missing)'}`);
}

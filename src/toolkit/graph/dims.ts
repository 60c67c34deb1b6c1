// Nodes that compute dimensions (Shape, Gather, Concat, …) → their results. A dimension of unknown size keeps its name.
import { type Dim, intAttribute, type Node } from './graph.js';

/** Returns the dimensions that an input holds; undefined if they are not known, as for values computed from pixels. */
export type KnownDims = (input: number) => readonly Dim[] | undefined;

type Evaluate = (
  node: Node,
  known: KnownDims,
  shape: readonly Dim[] | undefined,
) => readonly Dim[] | undefined;

const same: Evaluate = (_, known) => known(0);

const evaluations: Readonly<Record<string, Evaluate>> = {
  Add: arithmetic((a, b) => a + b),
  Cast: same,
  Concat: (node, known) => {
    const parts = node.inputs.map((_, i) => known(i));
    return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
  },
  Div: arithmetic((a, b) => Math.trunc(a / b)),
  Gather: (node, known) => {
    const from = known(0);
    const indices = known(1);
    if (intAttribute(node, 'axis', 0) !== 0) return undefined;
    const picked = indices?.map((index) => from?.at(Number(index)));
    return picked?.every((dim) => dim !== undefined) ? picked : undefined;
  },
  Identity: same,
  Mul: arithmetic((a, b) => a * b),
  ReduceProd: (_, known) => {
    const dims = known(0);
    return numeric(dims) ? [dims.reduce((product, dim) => product * dim, 1)] : undefined;
  },
  Shape: (node, _, shape) =>
    shape?.slice(intAttribute(node, 'start', 0), intAttribute(node, 'end', shape.length)),
  Slice: (_, known) => {
    const dims = known(0);
    const [start = 0, end = 0, , step = 1] = [1, 2, 3, 4].map((i) => known(i)?.[0]);
    return step === 1 ? dims?.slice(Number(start), Number(end)) : undefined;
  },
  Squeeze: same,
  Sub: arithmetic((a, b) => a - b),
  Unsqueeze: same,
};

/**
 * Returns the dimensions that a node computes; undefined if they are not known.
 * @param shape the first input's shape.
 */
export function evaluateDims(
  node: Node,
  known: KnownDims,
  shape: readonly Dim[] | undefined,
): readonly Dim[] | undefined {
  const evaluate =
    node.domain === '' && Object.hasOwn(evaluations, node.op) ? evaluations[node.op] : undefined;
  return evaluate?.(node, known, shape);
}

/**
 * Returns Reshape's constant from one shape to another: 0 copies a dimension, -1 stands for a dimension of unknown size.
 * It is undefined if more than one dimension would be -1.
 */
export function reshapeTarget(from: readonly Dim[], to: readonly Dim[]): number[] | undefined {
  const target = to.map((dim, axis) => (typeof dim === 'number' ? dim : from[axis] === dim ? 0 : -1));
  return target.filter((dim) => dim === -1).length > 1 ? undefined : target;
}

function arithmetic(compute: (a: number, b: number) => number): Evaluate {
  return (_, known) => {
    const [a, b] = [known(0), known(1)];
    if (!numeric(a) || !numeric(b)) return undefined;
    const length = Math.max(a.length, b.length);
    return Array.from({ length }, (_, i) =>
      compute(a[a.length === 1 ? 0 : i] ?? 0, b[b.length === 1 ? 0 : i] ?? 0),
    );
  };
}

function numeric(dims: readonly Dim[] | undefined): dims is readonly number[] {
  return dims?.every((dim) => typeof dim === 'number') ?? false;
}

// Gradients of operators that move numbers or add them up.
import { staticShape } from '../graph/builder.js';
import { elementCount, intAttribute, intsAttribute, type Value } from '../graph/graph.js';
import { keepsDims, normaliseAxis } from '../graph/shape-rules.js';
import { toIntegers } from '../graph/tensor-data.js';
import { type Gradients, required, type VjpContext } from './vjp.js';

export function reshapeVjp({ builder, gradient, inputs: [x] }: VjpContext): Gradients {
  return [builder.op('Reshape', [gradient, builder.integers(staticShape(required(x)))])];
}

/** y = sum of x over axes: dx is dy, repeated along the axes. */
export function reduceSumVjp(context: VjpContext): Gradients {
  const { builder, inputs } = context;
  const data = inputs[1] && builder.constantData(inputs[1].name);
  const { kept, shape } = reducedShape(context, data ? toIntegers(data) : []);
  return [builder.op('Expand', [aligned(context, kept), builder.integers(shape)])];
}

/** y = mean of x over axes: dx is dy divided by the number of elements, repeated along the axes. */
export function reduceMeanVjp(context: VjpContext): Gradients {
  const { builder, node } = context;
  const { kept, shape } = reducedShape(context, intsAttribute(node, 'axes', []));
  const share = builder.scalar(elementCount(kept) / elementCount(shape));
  const shared = builder.op('Mul', [aligned(context, kept), share]);
  return [builder.op('Expand', [shared, builder.integers(shape)])];
}

/** Returns the shape of x, and the same shape with 1 for each reduced axis. Without axes, all are reduced. */
function reducedShape({ inputs: [x] }: VjpContext, axes: readonly number[]) {
  const shape = staticShape(required(x));
  const reduced = new Set(
    axes.length > 0 ? axes.map((axis) => normaliseAxis(axis, shape.length)) : shape.keys(),
  );
  return { shape, kept: shape.map((dim, axis) => (reduced.has(axis) ? 1 : dim)) };
}

function aligned({ builder, node, gradient }: VjpContext, kept: readonly number[]): Value {
  if (keepsDims(node)) return gradient;
  return builder.op('Reshape', [gradient, builder.integers(kept)]);
}

/** The gradient of each part is a slice of dy. */
export function concatVjp({ builder, node, gradient, inputs }: VjpContext): Gradients {
  const rank = gradient.type.shape.length;
  const axis = (intAttribute(node, 'axis', 0) + rank) % rank;
  const sizes = inputs.map((input) => staticShape(required(input))[axis] ?? 0);
  return builder.ops('Split', [gradient, builder.integers(sizes)], sizes.length, {
    attributes: { axis: { int: axis } },
  });
}

/** dx is dy without the pads. */
export function padVjp({ builder, gradient, inputs: [x, pads] }: VjpContext): Gradients {
  const shape = staticShape(required(x));
  const data = builder.constantData(required(pads).name);
  const before = (data ? toIntegers(data) : []).slice(0, shape.length);
  const ends = shape.map((dim, axis) => dim + (before[axis] ?? 0));
  const axes = shape.map((_, axis) => axis);
  return [builder.op('Slice', [gradient, ...[before, ends, axes].map((values) => builder.integers(values))])];
}

export function transposeVjp({ builder, node, gradient }: VjpContext): Gradients {
  const rank = gradient.type.shape.length;
  const reversed = Array.from({ length: rank }, (_, i) => rank - 1 - i);
  const perm = intsAttribute(node, 'perm', reversed);
  return [builder.op('Transpose', [gradient], { perm: { ints: perm.map((_, i) => perm.indexOf(i)) } })];
}

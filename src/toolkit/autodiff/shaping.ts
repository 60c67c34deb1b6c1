// Gradients of operators that move or add up numbers.
import { staticShape } from '../graph/builder.js';
import { intAttribute, intsAttribute } from '../graph/graph.js';
import { toIntegers } from '../graph/tensor-data.js';
import { type Gradients, required, type VjpContext } from './vjp.js';

export function reshapeBack({ builder, gradient, inputs: [x] }: VjpContext): Gradients {
  return [builder.op('Reshape', [gradient, builder.integers(staticShape(required(x)))])];
}

/** y = sum of x over axes: every element of x gets the gradient of its sum. */
export function reduceSum({ builder, node, gradient, inputs: [x, axes] }: VjpContext): Gradients {
  const shape = staticShape(required(x));
  const data = axes && builder.constantData(axes.name);
  const given = data ? toIntegers(data) : [];
  const summed = new Set(
    given.length > 0 ? given.map((axis) => (axis < 0 ? axis + shape.length : axis)) : shape.keys(),
  );
  const kept = shape.map((dim, axis) => (summed.has(axis) ? 1 : dim));
  const aligned =
    intAttribute(node, 'keepdims', 1) === 1
      ? gradient
      : builder.op('Reshape', [gradient, builder.integers(kept)]);
  return [builder.op('Expand', [aligned, builder.integers(shape)])];
}

/** Every part gets its slice of the gradient. */
export function concat({ builder, node, gradient, inputs }: VjpContext): Gradients {
  const rank = gradient.type.shape.length;
  const axis = (intAttribute(node, 'axis', 0) + rank) % rank;
  const sizes = inputs.map((input) => staticShape(required(input))[axis] ?? 0);
  return builder.ops('Split', [gradient, builder.integers(sizes)], sizes.length, {
    attributes: { axis: { int: axis } },
  });
}

/** What was padded around is cut off again. */
export function pad({ builder, gradient, inputs: [x, pads] }: VjpContext): Gradients {
  const shape = staticShape(required(x));
  const data = builder.constantData(required(pads).name);
  const before = (data ? toIntegers(data) : []).slice(0, shape.length);
  const ends = shape.map((dim, axis) => dim + (before[axis] ?? 0));
  const axes = shape.map((_, axis) => axis);
  return [builder.op('Slice', [gradient, ...[before, ends, axes].map((values) => builder.integers(values))])];
}

export function transpose({ builder, node, gradient }: VjpContext): Gradients {
  const rank = gradient.type.shape.length;
  const reversed = Array.from({ length: rank }, (_, i) => rank - 1 - i);
  const perm = intsAttribute(node, 'perm', reversed);
  return [builder.op('Transpose', [gradient], { perm: { ints: perm.map((_, i) => perm.indexOf(i)) } })];
}

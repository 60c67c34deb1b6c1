// A node and the types of its inputs → the types of its outputs; one rule an operator.
import { GraphError, UnsupportedOperatorError } from './errors.js';
import {
  type DataType,
  type Dim,
  formatType,
  type Graph,
  intAttribute,
  intsAttribute,
  type Node,
  type TensorData,
  type TensorType,
} from './graph.js';
import { toIntegers } from './tensor-data.js';
import { convOutput, poolOutput, transposedConvOutput } from './windows.js';

export interface NodeContext {
  readonly node: Node;
  /** Type of input i. @throws GraphError when the node does not have it. */
  input(i: number): TensorType;
  /** Constant integers of input i; undefined when it is left out. @throws GraphError when it is not constant. */
  constant(i: number): number[] | undefined;
}

type Rule = (context: NodeContext) => TensorType[];

const sameAsFirst: Rule = ({ input }) => [input(0)];
const elementwise: Rule = ({ input, node }) => [
  { dataType: input(0).dataType, shape: broadcast(input(0).shape, input(1).shape, node) },
];
const comparison: Rule = (context) => elementwise(context).map(({ shape }) => ({ dataType: 'bool', shape }));

const rules = {
  Add: elementwise,
  ArgMax: ({ node, input }) => [
    {
      dataType: 'int64',
      shape: reduce(node, input(0).shape, [intAttribute(node, 'axis', 0)], keepsDims(node)),
    },
  ],
  AveragePool: ({ node, input }) => [withShape(input(0), poolOutput(node, input(0).shape))],
  BatchNormalization: sameAsFirst,
  Cast: ({ node, input }) => [{ dataType: castTarget(node), shape: input(0).shape }],
  Clip: sameAsFirst,
  Concat: concat,
  Conv: ({ node, input }) => {
    const bias = node.inputs[2] ? input(2).shape : undefined;
    return [withShape(input(0), convOutput(node, input(0).shape, input(1).shape, bias))];
  },
  ConvTranspose: ({ node, input }) => [
    withShape(input(0), transposedConvOutput(node, input(0).shape, input(1).shape)),
  ],
  DequantizeLinear: ({ input }) => [{ dataType: 'float32', shape: input(0).shape }],
  Div: elementwise,
  Dropout: ({ input }) => [input(0), { dataType: 'bool', shape: input(0).shape }],
  Equal: comparison,
  Exp: sameAsFirst,
  Expand: ({ node, input, constant }) => [
    withShape(input(0), broadcast(input(0).shape, constant(1) ?? [], node)),
  ],
  Flatten: ({ node, input }) => [withShape(input(0), flatten(node, input(0).shape))],
  Gemm: gemm,
  GlobalAveragePool: ({ input }) => [
    withShape(
      input(0),
      input(0).shape.map((dim, axis) => (axis < 2 ? dim : 1)),
    ),
  ],
  Greater: comparison,
  HardSigmoid: sameAsFirst,
  Identity: sameAsFirst,
  LogSoftmax: sameAsFirst,
  MatMul: ({ node, input }) => [withShape(input(0), matMul(node, input(0).shape, input(1).shape))],
  MaxPool: ({ node, input }) => {
    const shape = poolOutput(node, input(0).shape);
    return [withShape(input(0), shape), { dataType: 'int64', shape }];
  },
  MaxUnpool: ({ input, constant, node }) => {
    const shape = constant(2);
    if (!shape) throw new GraphError(`${describe(node)}: needs an output shape`);
    return [withShape(input(0), shape)];
  },
  Mul: elementwise,
  Neg: sameAsFirst,
  OneHot: ({ input, constant }) => [
    { dataType: input(2).dataType, shape: [...input(0).shape, constant(1)?.[0] ?? '?'] },
  ],
  Pad: ({ input, constant, node }) => [withShape(input(0), pad(node, input(0).shape, constant(1) ?? []))],
  QuantizeLinear: ({ input }) => [{ dataType: input(2).dataType, shape: input(0).shape }],
  ReduceSum: ({ node, input, constant }) => [
    withShape(input(0), reduce(node, input(0).shape, constant(1) ?? [], keepsDims(node))),
  ],
  Relu: sameAsFirst,
  Reshape: ({ node, input, constant }) => [
    withShape(input(0), reshape(node, input(0).shape, constant(1) ?? [])),
  ],
  Slice: slice,
  Softmax: sameAsFirst,
  Split: split,
  Sqrt: sameAsFirst,
  Sub: elementwise,
  Transpose: ({ node, input }) => [withShape(input(0), transpose(node, input(0).shape))],
  // ONNX Runtime's own: tensors in blocks of channels, [N, C / block, H, W, block], under their logical shape [N, C, H, W].
  'nchwc.AveragePool': ({ node, input }) => [withShape(input(0), poolOutput(node, input(0).shape))],
  'nchwc.Conv': ({ node, input }) => [withShape(input(0), convOutput(node, input(0).shape, input(1).shape))],
  'nchwc.MaxPool': ({ node, input }) => [withShape(input(0), poolOutput(node, input(0).shape))],
  'nchwc.ReorderInput': ({ node, input }) => [
    withShape(input(0), isChannelsLast(node) ? permute(input(0).shape, [0, 3, 1, 2]) : input(0).shape),
  ],
  'nchwc.ReorderOutput': ({ node, input }) => [
    withShape(input(0), isChannelsLast(node) ? permute(input(0).shape, [0, 2, 3, 1]) : input(0).shape),
  ],
  'nchwc.Upsample': ({ node, input }) => [
    withShape(input(0), upsample(input(0).shape, intsAttribute(node, 'scales', []), node)),
  ],
  // Quati's own: gradients that lowering writes out in the operators above.
  ConvInputGrad: ({ node }) => [{ dataType: 'float32', shape: intsAttribute(node, 'shape', []) }],
  ConvWeightGrad: ({ node }) => [{ dataType: 'float32', shape: intsAttribute(node, 'shape', []) }],
  MaxPoolGrad: ({ input }) => [input(1)],
  ReluGrad: sameAsFirst,
} satisfies Record<string, Rule>;

/** Every operator that a graph of Quati may hold. */
export type Operator = keyof typeof rules;

const nchwcPrefix = 'nchwc.';
const nchwcDomain = 'com.microsoft.nchwc';

/** Operators of the `quati` domain: written by autodiff, replaced by lowering. */
export const gradientOperators = ['ConvInputGrad', 'ConvWeightGrad', 'MaxPoolGrad', 'ReluGrad'] as const;
export type GradientOperator = (typeof gradientOperators)[number];

/** How a node's operator is called here: the blocked ones carry a prefix, as ONNX has some of the same names. */
export function operatorOf({ op, domain }: Pick<Node, 'op' | 'domain'>): Operator | undefined {
  const name = domain === nchwcDomain ? `${nchwcPrefix}${op}` : op;
  return Object.hasOwn(rules, name) ? (name as Operator) : undefined;
}

/** How ONNX calls an operator. */
export function onnxName(operator: Operator): { op: string; domain: string } {
  if (operator.startsWith(nchwcPrefix))
    return { op: operator.slice(nchwcPrefix.length), domain: nchwcDomain };
  const own = (gradientOperators as readonly string[]).includes(operator);
  return { op: operator, domain: own ? 'quati' : '' };
}

/**
 * @throws UnsupportedOperatorError when there is no rule for the operator.
 * @throws GraphError when the inputs do not fit it.
 */
export function inferNode(
  node: Node,
  types: ReadonlyMap<string, TensorType>,
  initializers: ReadonlyMap<string, TensorData>,
): TensorType[] {
  const operator = operatorOf(node);
  if (!operator) {
    throw new UnsupportedOperatorError(`${describe(node)}: there is no shape rule for this operator`);
  }
  const inferred = rules[operator]({
    node,
    input(i) {
      const type = types.get(node.inputs[i] ?? '');
      if (!type) throw new GraphError(`${describe(node)}: input ${i} is missing`);
      return type;
    },
    constant(i) {
      const name = node.inputs[i];
      if (!name) return undefined;
      const data = initializers.get(name);
      if (!data) throw new GraphError(`${describe(node)}: input ${i} (${name}) has to be constant`);
      return toIntegers(data);
    },
  });
  return inferred.slice(0, node.outputs.length);
}

/** The same graph with the type of every value worked out. */
export function inferTypes(graph: Graph): Graph {
  const types = new Map<string, TensorType>(graph.inputs.map(({ name, type }) => [name, type]));
  for (const [name, data] of graph.initializers)
    types.set(name, { dataType: data.dataType, shape: data.dims });
  for (const node of graph.nodes) {
    inferNode(node, types, graph.initializers).forEach((type, i) => {
      types.set(node.outputs[i] ?? '', type);
    });
  }
  const outputs = graph.outputs.map(({ name, type }) => ({ name, type: types.get(name) ?? type }));
  return { ...graph, outputs, types };
}

export function describe(node: Node): string {
  return node.name === node.op ? node.op : `${node.op} ${node.name}`;
}

function withShape(type: TensorType, shape: readonly Dim[]): TensorType {
  return { dataType: type.dataType, shape };
}

function keepsDims(node: Node): boolean {
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

function castTarget(node: Node): DataType {
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

function concat({ node, input }: NodeContext): TensorType[] {
  const first = input(0);
  const axis = normaliseAxis(intAttribute(node, 'axis', 0), first.shape.length);
  const others = (shape: readonly Dim[]) => shape.filter((_, i) => i !== axis).join();
  const sizes = node.inputs.map((_, i) => {
    const { shape } = input(i);
    if (others(shape) !== others(first.shape)) {
      throw new GraphError(
        `${describe(node)}: input ${i}: expected [${first.shape.join(', ')}] but for axis ${axis}, got [${shape.join(', ')}]`,
      );
    }
    return numericDim(shape[axis], node);
  });
  const shape = first.shape.map((dim, i) => (i === axis ? sizes.reduce((a, b) => a + b, 0) : dim));
  return [withShape(first, shape)];
}

function flatten(node: Node, shape: readonly Dim[]): Dim[] {
  const axis = intAttribute(node, 'axis', 1);
  return [product(shape.slice(0, axis), node), product(shape.slice(axis), node)];
}

function product(dims: readonly Dim[], node: Node): Dim {
  const [only] = dims;
  if (dims.length === 1 && only !== undefined) return only;
  return dims.reduce<number>((size, dim) => size * numericDim(dim, node), 1);
}

function gemm({ node, input }: NodeContext): TensorType[] {
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

function matMul(node: Node, a: readonly Dim[], b: readonly Dim[]): Dim[] {
  const inner = a.at(-1);
  const rows = a.at(-2);
  const columns = b.at(-1);
  if (rows === undefined || columns === undefined || inner !== b.at(-2)) {
    throw new GraphError(`${describe(node)}: cannot multiply [${a.join(', ')}] by [${b.join(', ')}]`);
  }
  return [...broadcast(a.slice(0, -2), b.slice(0, -2), node), rows, columns];
}

function pad(node: Node, shape: readonly Dim[], pads: readonly number[]): Dim[] {
  return shape.map((dim, axis) => {
    const added = (pads[axis] ?? 0) + (pads[axis + shape.length] ?? 0);
    return added === 0 ? dim : numericDim(dim, node) + added;
  });
}

function reduce(node: Node, shape: readonly Dim[], axes: readonly number[], keep: boolean): Dim[] {
  const all = axes.length === 0 ? shape.map((_, axis) => axis) : axes;
  const reduced = new Set(all.map((axis) => normaliseAxis(axis, shape.length)));
  if ([...reduced].some((axis) => axis < 0 || axis >= shape.length)) {
    throw new GraphError(`${describe(node)}: axes ${axes.join(', ')} of [${shape.join(', ')}] do not exist`);
  }
  return keep ? shape.map((dim, i) => (reduced.has(i) ? 1 : dim)) : shape.filter((_, i) => !reduced.has(i));
}

function reshape(node: Node, shape: readonly Dim[], target: readonly number[]): Dim[] {
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
      `${describe(node)}: [${shape.join(', ')}] cannot take the shape [${target.join(', ')}]`,
    );
  }
  return copied.map((dim) => (dim === -1 ? size / rest : dim));
}

function slice({ node, input, constant }: NodeContext): TensorType[] {
  const shape = [...input(0).shape];
  const starts = constant(1) ?? [];
  const ends = constant(2) ?? [];
  const axes = constant(3) ?? starts.map((_, i) => i);
  const steps = constant(4) ?? starts.map(() => 1);
  axes.forEach((rawAxis, i) => {
    const axis = normaliseAxis(rawAxis, shape.length);
    const size = numericDim(shape[axis], node);
    const step = steps[i] ?? 1;
    // Backwards, a slice starts at 0 at the earliest and ends before it.
    const [lowest, highest] = step > 0 ? [0, size] : [-1, size - 1];
    const clamp = (bound: number, low: number) =>
      Math.min(Math.max(bound < 0 ? bound + size : bound, low), highest);
    const length = Math.ceil((clamp(ends[i] ?? size, lowest) - clamp(starts[i] ?? 0, 0)) / step);
    shape[axis] = Math.max(length, 0);
  });
  return [withShape(input(0), shape)];
}

function split({ node, input, constant }: NodeContext): TensorType[] {
  const axis = normaliseAxis(intAttribute(node, 'axis', 0), input(0).shape.length);
  const sizes = constant(1) ?? [];
  const size = numericDim(input(0).shape[axis], node);
  const total = sizes.reduce((a, b) => a + b, 0);
  if (total !== size)
    throw new GraphError(`${describe(node)}: parts add up to ${total}, the axis holds ${size}`);
  return sizes.map((part) =>
    withShape(
      input(0),
      input(0).shape.map((dim, i) => (i === axis ? part : dim)),
    ),
  );
}

function isChannelsLast(node: Node): boolean {
  return intAttribute(node, 'channels_last', 0) === 1;
}

function permute(shape: readonly Dim[], perm: readonly number[]): Dim[] {
  return perm.map((axis) => shape[axis] ?? 0);
}

function upsample(shape: readonly Dim[], scales: readonly number[], node: Node): Dim[] {
  return shape.map((dim, axis) => (scales[axis] === 1 ? dim : numericDim(dim, node) * (scales[axis] ?? 1)));
}

function transpose(node: Node, shape: readonly Dim[]): Dim[] {
  const perm = intsAttribute(
    node,
    'perm',
    shape.map((_, i) => shape.length - 1 - i),
  );
  if ([...perm].sort((a, b) => a - b).join() !== shape.map((_, axis) => axis).join()) {
    throw new GraphError(
      `${describe(node)}: perm: expected an order of ${shape.length} axes, got [${perm.join(', ')}]`,
    );
  }
  return permute(shape, perm);
}

function normaliseAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

function numericDim(dim: Dim | undefined, node: Node): number {
  if (typeof dim === 'number') return dim;
  throw new GraphError(`${describe(node)}: dimension ${dim ?? '(missing)'} has to be a number`);
}

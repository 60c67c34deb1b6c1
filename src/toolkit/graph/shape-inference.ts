// A node and the types of its inputs → the types of its outputs. Each operator has one rule.
import { GraphError, UnsupportedOperatorError } from './errors.js';
import { foreignRule } from './foreign-rules.js';
import {
  type Graph,
  intAttribute,
  intsAttribute,
  type Node,
  type TensorData,
  type TensorType,
} from './graph.js';
import {
  broadcast,
  castTarget,
  concatShape,
  describe,
  elementwise,
  flattenShape,
  gatherShape,
  gemmShape,
  isChannelsLast,
  keepsDims,
  matMulShape,
  padShape,
  permute,
  type Rule,
  reduceShape,
  reshapeShape,
  sameAsFirst,
  sliceShape,
  splitShapes,
  transposeShape,
  upsampleShape,
  withShape,
} from './shape-rules.js';
import { toIntegers } from './tensor-data.js';
import { convOutput, poolOutput, transposedConvOutput } from './windows.js';

const comparison: Rule = (context) => elementwise(context).map(({ shape }) => ({ dataType: 'bool', shape }));

const globalAveragePool: Rule = ({ input }) => [
  withShape(
    input(0),
    input(0).shape.map((dim, axis) => (axis < 2 ? dim : 1)),
  ),
];

const rules = {
  Abs: sameAsFirst,
  Add: elementwise,
  ArgMax: ({ node, input }) => [
    {
      dataType: 'int64',
      shape: reduceShape(node, input(0).shape, [intAttribute(node, 'axis', 0)], keepsDims(node)),
    },
  ],
  AveragePool: ({ node, input }) => [withShape(input(0), poolOutput(node, input(0).shape))],
  BatchNormalization: sameAsFirst,
  BitShift: elementwise,
  Cast: ({ node, input }) => [{ dataType: castTarget(node), shape: input(0).shape }],
  Clip: sameAsFirst,
  Concat: concatShape,
  Conv: ({ node, input }) => {
    const bias = node.inputs[2] ? input(2).shape : undefined;
    return [withShape(input(0), convOutput(node, input(0).shape, input(1).shape, bias))];
  },
  ConvInteger: ({ node, input }) => [
    { dataType: 'int32', shape: convOutput(node, input(0).shape, input(1).shape) },
  ],
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
  Flatten: ({ node, input }) => [withShape(input(0), flattenShape(node, input(0).shape))],
  Gather: ({ node, input }) => [withShape(input(0), gatherShape(node, input(0).shape, input(1).shape))],
  Gemm: gemmShape,
  GlobalAveragePool: globalAveragePool,
  Greater: comparison,
  GreaterOrEqual: comparison,
  HardSigmoid: sameAsFirst,
  HardSwish: sameAsFirst,
  Identity: sameAsFirst,
  LogSoftmax: sameAsFirst,
  MatMul: ({ node, input }) => [withShape(input(0), matMulShape(node, input(0).shape, input(1).shape))],
  MatMulInteger: ({ node, input }) => [
    { dataType: 'int32', shape: matMulShape(node, input(0).shape, input(1).shape) },
  ],
  MaxPool: ({ node, input }) => {
    const shape = poolOutput(node, input(0).shape);
    return [withShape(input(0), shape), { dataType: 'int64', shape }];
  },
  MaxUnpool: ({ input, constant, node }) => {
    const shape = constant(2);
    if (!shape) throw new GraphError(`${describe(node)}: needs an output shape`);
    return [withShape(input(0), shape)];
  },
  Mod: elementwise,
  Mul: elementwise,
  Neg: sameAsFirst,
  OneHot: ({ input, constant }) => [
    { dataType: input(2).dataType, shape: [...input(0).shape, constant(1)?.[0] ?? '?'] },
  ],
  Pad: ({ input, constant, node }) => [
    withShape(input(0), padShape(node, input(0).shape, constant(1) ?? [])),
  ],
  QuantizeLinear: ({ input }) => [{ dataType: input(2).dataType, shape: input(0).shape }],
  ReduceMean: ({ node, input }) => [
    withShape(input(0), reduceShape(node, input(0).shape, intsAttribute(node, 'axes', []), keepsDims(node))),
  ],
  ReduceSum: ({ node, input, constant }) => [
    withShape(input(0), reduceShape(node, input(0).shape, constant(1) ?? [], keepsDims(node))),
  ],
  Relu: sameAsFirst,
  Reshape: ({ node, input, constant }) => [
    withShape(input(0), reshapeShape(node, input(0).shape, constant(1) ?? [])),
  ],
  Round: sameAsFirst,
  ScatterElements: sameAsFirst,
  Sigmoid: sameAsFirst,
  Slice: sliceShape,
  Softmax: sameAsFirst,
  Split: splitShapes,
  Sqrt: sameAsFirst,
  Sub: elementwise,
  Transpose: ({ node, input }) => [withShape(input(0), transposeShape(node, input(0).shape))],
  Where: ({ node, input }) => [
    withShape(input(1), broadcast(broadcast(input(0).shape, input(1).shape, node), input(2).shape, node)),
  ],
  // ONNX Runtime's own operators: their tensors are in blocks of channels, [N, C / block, H, W, block]. Types state [N, C, H, W].
  'nchwc.AveragePool': ({ node, input }) => [withShape(input(0), poolOutput(node, input(0).shape))],
  'nchwc.Conv': ({ node, input }) => [withShape(input(0), convOutput(node, input(0).shape, input(1).shape))],
  'nchwc.GlobalAveragePool': globalAveragePool,
  'nchwc.MaxPool': ({ node, input }) => [withShape(input(0), poolOutput(node, input(0).shape))],
  'nchwc.ReorderInput': ({ node, input }) => [
    withShape(input(0), isChannelsLast(node) ? permute(input(0).shape, [0, 3, 1, 2]) : input(0).shape),
  ],
  'nchwc.ReorderOutput': ({ node, input }) => [
    withShape(input(0), isChannelsLast(node) ? permute(input(0).shape, [0, 2, 3, 1]) : input(0).shape),
  ],
  'nchwc.Upsample': ({ node, input }) => [
    withShape(input(0), upsampleShape(input(0).shape, intsAttribute(node, 'scales', []), node)),
  ],
  // Quati's own operators, which lowering replaces by those above.
  AveragePoolGrad: ({ input }) => [input(1)],
  BatchNormTraining: ({ input }) => [input(0), input(1), input(1), input(0), input(1)],
  BatchNormGrad: ({ input }) => [input(0), input(3), input(3)],
  Binarise: sameAsFirst,
  ClipGrad: sameAsFirst,
  ConvInputGrad: ({ node }) => [{ dataType: 'float32', shape: intsAttribute(node, 'shape', []) }],
  ConvWeightGrad: ({ node }) => [{ dataType: 'float32', shape: intsAttribute(node, 'shape', []) }],
  MaxPoolGrad: ({ input }) => [input(1)],
  ReluGrad: sameAsFirst,
} satisfies Record<string, Rule>;

/** Every operator that a graph made by Quati may hold. */
export type Operator = keyof typeof rules;

const nchwcPrefix = 'nchwc.';
const nchwcDomain = 'com.microsoft.nchwc';

/** Operators of the `quati` domain. Training mode and autodiff add them; lowering replaces them. */
export const trainingOperators = [
  'AveragePoolGrad',
  'BatchNormGrad',
  'BatchNormTraining',
  'Binarise',
  'ClipGrad',
  'ConvInputGrad',
  'ConvWeightGrad',
  'MaxPoolGrad',
  'ReluGrad',
] as const;
export type TrainingOperator = (typeof trainingOperators)[number];

/** Returns the name of a node's operator in `Operator`. Blocked operators have a prefix, as ONNX has the same names. */
export function operatorOf({ op, domain }: Pick<Node, 'op' | 'domain'>): Operator | undefined {
  const name = domain === nchwcDomain ? `${nchwcPrefix}${op}` : op;
  return Object.hasOwn(rules, name) ? (name as Operator) : undefined;
}

/** Returns an operator's name and domain in ONNX. */
export function onnxName(operator: Operator): { op: string; domain: string } {
  if (operator.startsWith(nchwcPrefix))
    return { op: operator.slice(nchwcPrefix.length), domain: nchwcDomain };
  const own = (trainingOperators as readonly string[]).includes(operator);
  return { op: operator, domain: own ? 'quati' : '' };
}

/** Whether there is a rule for the types of a node's outputs. */
export function hasRule(node: Node): boolean {
  return (operatorOf(node) ?? foreignRule(node)) !== undefined;
}

/**
 * Returns the types of a node's outputs.
 * @throws UnsupportedOperatorError if there is no rule for the operator.
 * @throws GraphError if the inputs do not fit it.
 */
export function inferNode(
  node: Node,
  types: ReadonlyMap<string, TensorType>,
  initializers: ReadonlyMap<string, TensorData>,
): TensorType[] {
  const operator = operatorOf(node);
  const rule = operator ? rules[operator] : foreignRule(node);
  if (!rule && node.foreign?.types.length)
    return foreignTypes(node.foreign.types, types.get(node.inputs[0] ?? ''));
  if (!rule) {
    throw new UnsupportedOperatorError(`${describe(node)}: Quati has no shape rule for this operator`);
  }
  const inferred = rule({
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
      if (!data) throw new GraphError(`${describe(node)}: input ${i} (${name}): expected a constant`);
      return toIntegers(data);
    },
  });
  return inferred.slice(0, node.outputs.length);
}

/** The size of the batch may have been set since the types were inferred. */
function foreignTypes(types: readonly TensorType[], first: TensorType | undefined): TensorType[] {
  return types.map(({ dataType, shape: [batch, ...rest] }) => {
    if (batch === undefined) return { dataType, shape: [] };
    return { dataType, shape: [typeof batch === 'string' ? (first?.shape[0] ?? batch) : batch, ...rest] };
  });
}

/** Returns the same graph with the type of every value. */
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

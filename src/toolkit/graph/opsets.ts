// A node of any supported ONNX operator set → the same node in the set that Quati writes. Attributes became inputs between sets, or inputs attributes.
import { GraphError } from './errors.js';
import {
  type Attributes,
  floatAttribute,
  intAttribute,
  intsAttribute,
  type Node,
  stringAttribute,
  type TensorData,
} from './graph.js';
import { describe } from './shape-rules.js';
import { float32Tensor, int64Tensor } from './tensor-data.js';

const oldestOpset = 7;
const newestOpset = 23;

/** What the rules for a node need. */
export interface Spelling {
  /** Operator set of the model that holds the node. */
  readonly opset: number;
  /** Returns the integers of an input; undefined if it is missing. @throws GraphError if it is not a constant. */
  constant(node: Node, input: number): number[] | undefined;
  /** Returns the rank of an input. */
  rank(node: Node, input: number): number;
  /** Adds an initializer and returns its name. */
  add(data: TensorData): string;
}

type Respell = (node: Node, spelling: Spelling) => Node;

/** Larger indices also mean the end of an axis, but a number cannot hold all of them exactly. */
const farEnd = 2 ** 31 - 1;

const respellings: Readonly<Record<string, Respell>> = {
  AveragePool: (node) => {
    if (intsAttribute(node, 'dilations', []).some((dilation) => dilation !== 1))
      throw new GraphError(`${describe(node)}: dilations are not supported for averages`);
    return without(node, 'dilations');
  },
  BatchNormalization: (node) => {
    if (intAttribute(node, 'training_mode', 0) === 1)
      throw new GraphError(`${describe(node)}: is in training mode; export the model for inference`);
    return { ...without(node, 'spatial', 'momentum', 'training_mode'), outputs: node.outputs.slice(0, 1) };
  },
  Cast: (node) => without(node, 'saturate', 'round_mode'),
  Clip: (node, { opset, add }) => {
    if (opset >= 11) return node;
    const bound = (name: string) =>
      node.attributes[name] ? add(float32Tensor([floatAttribute(node, name, 0)], [])) : '';
    return { ...without(node, 'min', 'max'), inputs: [...node.inputs, bound('min'), bound('max')] };
  },
  Dropout: (node) => ({ ...node, inputs: node.inputs.slice(0, 1), attributes: {} }),
  LogSoftmax: softmax,
  Pad: (node, { opset, add, constant, rank }) => {
    if (opset < 11) {
      const pads = add(int64Tensor(intsAttribute(node, 'pads', [])));
      const value = add(float32Tensor([floatAttribute(node, 'value', 0)], []));
      return { ...without(node, 'pads', 'value'), inputs: [...node.inputs, pads, value] };
    }
    const axes = constant(node, 3);
    if (!axes) return node;
    const given = constant(node, 1) ?? [];
    const full = new Array<number>(2 * rank(node, 0)).fill(0);
    axes.forEach((axis, i) => {
      const at = axis < 0 ? axis + full.length / 2 : axis;
      full[at] = given[i] ?? 0;
      full[at + full.length / 2] = given[i + axes.length] ?? 0;
    });
    return { ...node, inputs: [node.inputs[0] ?? '', add(int64Tensor(full)), node.inputs[2] ?? ''] };
  },
  ReduceMax: reduction,
  ReduceMean: reduction,
  ReduceMin: reduction,
  ReduceProd: reduction,
  ReduceSum: axesAsInput,
  Reshape: (node, { constant }) => {
    if (intAttribute(node, 'allowzero', 0) === 1 && constant(node, 1)?.includes(0))
      throw new GraphError(`${describe(node)}: allowzero with a dimension of 0 is not supported`);
    return without(node, 'allowzero');
  },
  Slice: (node, { opset, add }) => {
    if (opset >= 10) return node;
    const vector = (name: string) => intsAttribute(node, name, []).map((end) => Math.min(end, farEnd));
    const inputs = [vector('starts'), vector('ends')].map((values) => add(int64Tensor(values)));
    const axes = node.attributes.axes ? [add(int64Tensor(vector('axes')))] : [];
    return { ...without(node, 'starts', 'ends', 'axes'), inputs: [...node.inputs, ...inputs, ...axes] };
  },
  Softmax: softmax,
  Split: (node, { opset, add }) => {
    const sizes = opset < 13 ? intsAttribute(node, 'split', []) : [];
    const inputs = sizes.length > 0 ? [node.inputs[0] ?? '', add(int64Tensor(sizes))] : node.inputs;
    return { ...without(node, 'split', 'num_outputs'), inputs };
  },
  Squeeze: axesAsInput,
  Sum: (node) => (node.inputs.length === 2 ? { ...node, op: 'Add' } : node),
  Unsqueeze: axesAsInput,
};

/** Rewrites a node. @throws GraphError if the operator set that Quati writes has no equivalent. */
export function respell(node: Node, spelling: Spelling): Node {
  const rule = node.domain === '' && Object.hasOwn(respellings, node.op) ? respellings[node.op] : undefined;
  return rule ? rule(node, spelling) : node;
}

/** @throws GraphError if Quati does not read this version of the operator set. */
export function checkOpset(version: number, file: string): void {
  if (version < oldestOpset || version > newestOpset)
    throw new GraphError(
      `${file}: uses ONNX operator set ${version}, expected ${oldestOpset} to ${newestOpset}`,
    );
}

/** Up to set 12, axes are an attribute. */
function axesAsInput(node: Node, { opset, add }: Spelling): Node {
  if (opset >= 13 || !node.attributes.axes) return node;
  const axes = add(int64Tensor(intsAttribute(node, 'axes', [])));
  return { ...without(node, 'axes'), inputs: [...node.inputs, axes] };
}

/** From set 18 on, axes are an input. */
function reduction(node: Node, { constant }: Spelling): Node {
  const axes = constant(node, 1);
  const asked = intAttribute(node, 'noop_with_empty_axes', 0) === 1;
  const plain = { ...without(node, 'noop_with_empty_axes'), inputs: node.inputs.slice(0, 1) };
  if (!axes?.length) return asked ? { ...plain, op: 'Identity', attributes: {} } : plain;
  return { ...plain, attributes: { ...plain.attributes, axes: { ints: axes } } };
}

/** Up to set 12, Softmax covers all axes from `axis` on. The default of `axis` was 1. */
function softmax(node: Node, { opset, rank }: Spelling): Node {
  if (opset >= 13) return node;
  const ranks = rank(node, 0);
  const axis = intAttribute(node, 'axis', 1);
  if ((axis < 0 ? axis + ranks : axis) !== ranks - 1)
    throw new GraphError(`${describe(node)}: several axes at once are not supported`);
  return { ...node, attributes: { axis: { int: -1 } } };
}

function without(node: Node, ...names: readonly string[]): Node {
  const kept = Object.entries(node.attributes).filter(([name]) => !names.includes(name));
  return { ...node, attributes: Object.fromEntries(kept) as Attributes };
}

/** Replaces `auto_pad` by the pads that it means: `total = (ceil(input / stride) - 1) * stride + reach - input`. */
export function statePads(node: Node, spatial: readonly number[], kernel: readonly number[]): Node {
  const auto = stringAttribute(node, 'auto_pad', 'NOTSET');
  const rest = without(node, 'auto_pad');
  if (auto !== 'SAME_UPPER' && auto !== 'SAME_LOWER') return rest;
  const strides = intsAttribute(node, 'strides', [1, 1]);
  const dilations = intsAttribute(node, 'dilations', [1, 1]);
  const totals = spatial.map((size, axis) => {
    const stride = strides[axis] ?? 1;
    const reach = (dilations[axis] ?? 1) * ((kernel[axis] ?? 1) - 1) + 1;
    return Math.max((Math.ceil(size / stride) - 1) * stride + reach - size, 0);
  });
  const before = totals.map((total) => (auto === 'SAME_UPPER' ? Math.floor : Math.ceil)(total / 2));
  const after = totals.map((total, axis) => total - (before[axis] ?? 0));
  return { ...rest, attributes: { ...rest.attributes, pads: { ints: [...before, ...after] } } };
}

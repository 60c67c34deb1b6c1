// an architecture and a source of parameters → the forward graph: `image` [N, C, H, W] → `logits` [N, labels].

import type { SignGradient } from '../autodiff/sign-gradients.js';
import { GraphBuilder } from '../graph/builder.js';
import {
  type Attributes,
  type Dim,
  elementCount,
  type Graph,
  type TensorData,
  type Value,
} from '../graph/graph.js';
import type { Operator } from '../graph/shape-inference.js';
import type { Architecture, Layer } from './layers.js';

export interface ParameterSpec {
  /** `<layer><number>.<kind>`, such as `conv1.weight`. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Mean and variance are running statistics, which are stored but not learned. */
  readonly kind: 'weight' | 'bias' | 'scale' | 'mean' | 'variance';
  /** The number of inputs that one output sums over, and of outputs that use one input. */
  readonly fanIn: number;
  readonly fanOut: number;
}

/** Returns the values of a parameter, from an initialiser or a checkpoint. Called for each one, in the order of the layers. */
export type ParameterSource = (spec: ParameterSpec) => TensorData;

export interface ForwardOptions {
  /** `N` for a graph with a dynamic batch. */
  readonly batch: Dim;
  readonly parameter: ParameterSource;
}

export const imageName = 'image';
export const logitsName = 'logits';

export function buildForward(architecture: Architecture, { batch, parameter }: ForwardOptions): Graph {
  const builder = new GraphBuilder(architecture.name);
  const { channels, height, width } = architecture.input;
  const scope = new Scope(builder, parameter);
  const image = builder.input(imageName, [batch, channels, height, width]);
  builder.output(addLayers(scope, image, architecture.layers), logitsName);
  return builder.build();
}

/** Numbers the layers of each kind, and gets their parameters from the source. */
class Scope {
  readonly #counts = new Map<string, number>();

  constructor(
    readonly builder: GraphBuilder,
    readonly source: ParameterSource,
  ) {}

  next(kind: string): string {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    return `${kind}${count}`;
  }

  parameter(spec: ParameterSpec): Value {
    return this.builder.initializer(spec.name, this.source(spec));
  }

  /** Adds a node with the name of its layer. */
  node(op: Operator, name: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.builder.ops(op, inputs, 1, { name, attributes })[0] as Value;
  }

  /** Weights are [outputs, inputs, ...kernel], biases [outputs]. */
  weights(layer: string, shape: readonly number[], { bias = true, binary }: WeightOptions): Value[] {
    const [outputs = 0, inputs = 0, ...kernel] = shape;
    const area = elementCount(kernel);
    const fans = { fanIn: inputs * area, fanOut: outputs * area };
    const latent = this.parameter({ name: `${layer}.weight`, shape, kind: 'weight', ...fans });
    const weight = binary ? addBinarise(this, latent, binary) : latent;
    if (!bias) return [weight];
    return [weight, this.parameter({ name: `${layer}.bias`, shape: [outputs], kind: 'bias', ...fans })];
  }
}

interface WeightOptions {
  readonly bias?: boolean;
  readonly binary?: SignGradient;
}

type LayerOf<Kind extends Layer['kind']> = Extract<Layer, { kind: Kind }>;

function addLayers(scope: Scope, x: Value, layers: readonly Layer[]): Value {
  return layers.reduce((value, layer) => addLayer(scope, value, layer), x);
}

function addLayer(scope: Scope, x: Value, layer: Layer): Value {
  const { builder } = scope;
  switch (layer.kind) {
    case 'conv':
      return addConv(scope, x, layer);
    case 'dense':
      return addDense(scope, x, layer);
    case 'binarise':
      return addBinarise(scope, x, layer.gradient);
    case 'batchNorm':
      return addBatchNorm(scope, x, layer);
    case 'maxPool':
      return builder.op('MaxPool', [x], squareWindow(layer.size));
    case 'averagePool':
      return builder.op('AveragePool', [x], squareWindow(layer.size));
    case 'dropout':
      return scope.node('Dropout', scope.next('dropout'), [x, builder.scalar(layer.rate)]);
    case 'residual':
      return builder.op('Add', [addLayers(scope, x, layer.body), addLayers(scope, x, layer.shortcut)]);
    case 'relu':
      return builder.op('Relu', [x]);
    case 'relu6':
      return builder.op('Clip', [x, builder.scalar(0), builder.scalar(6)]);
    case 'sigmoid':
      return builder.op('Sigmoid', [x]);
    case 'hardSwish':
      return builder.op('HardSwish', [x]);
    case 'flatten':
      return builder.op('Flatten', [x]);
    case 'globalAveragePool':
      return builder.op('Flatten', [builder.op('GlobalAveragePool', [x])]);
  }
}

function squareWindow(size: number): Attributes {
  const window = { ints: [size, size] };
  return { kernel_shape: window, strides: window };
}

function addConv(
  scope: Scope,
  x: Value,
  { filters, kernel, padding, stride, groups, ...options }: LayerOf<'conv'>,
): Value {
  const name = scope.next('conv');
  const shape = [filters, Number(x.type.shape[1]) / groups, kernel, kernel];
  return scope.node('Conv', name, [x, ...scope.weights(name, shape, options)], {
    kernel_shape: { ints: [kernel, kernel] },
    strides: { ints: [stride, stride] },
    pads: { ints: Array<number>(4).fill(padding) },
    group: { int: groups },
  });
}

function addDense(scope: Scope, x: Value, { units, ...options }: LayerOf<'dense'>): Value {
  const name = scope.next('dense');
  const weights = scope.weights(name, [units, Number(x.type.shape[1])], options);
  return scope.node('Gemm', name, [x, ...weights], { transB: { int: 1 } });
}

function addBinarise({ builder }: Scope, x: Value, gradient: SignGradient): Value {
  return builder.op('Binarise', [x], { gradient: { string: gradient } });
}

function addBatchNorm(scope: Scope, x: Value, { epsilon, momentum }: LayerOf<'batchNorm'>): Value {
  const name = scope.next('batchNorm');
  const channels = Number(x.type.shape[1]);
  const vectors = (['scale', 'bias', 'mean', 'variance'] as const).map((kind) =>
    scope.parameter({ name: `${name}.${kind}`, shape: [channels], kind, fanIn: channels, fanOut: channels }),
  );
  return scope.node('BatchNormalization', name, [x, ...vectors], {
    epsilon: { float: epsilon },
    momentum: { float: momentum },
  });
}

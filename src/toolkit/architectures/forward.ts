// Architecture + where parameters come from → the forward graph: `image` [N, C, H, W] → `logits` [N, labels].
import { GraphBuilder, staticShape } from '../graph/builder.js';
import { type Dim, elementCount, type Graph, type TensorData, type Value } from '../graph/graph.js';
import type { Architecture, Layer } from './layers.js';

export interface ParameterSpec {
  /** `<layer><number>.<weight|bias>`, as in `conv1.weight`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly kind: 'weight' | 'bias';
  /** How many inputs one output sums over, and how many outputs one input feeds. */
  readonly fanIn: number;
  readonly fanOut: number;
}

/** Asked for each parameter, in the order of the layers: an initialiser, or a checkpoint. */
export type ParameterSource = (spec: ParameterSpec) => TensorData;

export interface ForwardOptions {
  /** `N` for a graph that takes any batch. */
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
  const last = architecture.layers.reduce((x, layer) => addLayer(scope, x, layer), image);
  builder.output(last, logitsName);
  return builder.build();
}

/** Numbers the layers of each kind and asks for their parameters. */
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
}

function addLayer(scope: Scope, x: Value, layer: Layer): Value {
  const { builder } = scope;
  switch (layer.kind) {
    case 'conv': {
      const name = scope.next('conv');
      const [weight, bias] = weightAndBias(scope, name, [
        layer.filters,
        Number(x.type.shape[1]),
        layer.kernel,
        layer.kernel,
      ]);
      const pads = { ints: Array<number>(4).fill(layer.padding) };
      const kernel = { ints: [layer.kernel, layer.kernel] };
      return named(
        builder.ops('Conv', [x, weight, bias], 1, { name, attributes: { kernel_shape: kernel, pads } }),
      );
    }
    case 'dense': {
      const name = scope.next('dense');
      const [weight, bias] = weightAndBias(scope, name, [layer.units, Number(x.type.shape[1])]);
      return named(builder.ops('Gemm', [x, weight, bias], 1, { name, attributes: { transB: { int: 1 } } }));
    }
    case 'maxPool': {
      const window = { ints: [layer.size, layer.size] };
      return builder.op('MaxPool', [x], { kernel_shape: window, strides: window });
    }
    case 'relu':
      return builder.op('Relu', [x]);
    case 'flatten':
      return builder.op('Flatten', [x]);
  }
}

function named(values: readonly Value[]): Value {
  return values[0] as Value;
}

/** Weights are [outputs, inputs, ...kernel], biases [outputs]. */
function weightAndBias(scope: Scope, layer: string, shape: readonly number[]): [Value, Value] {
  const [outputs = 0, inputs = 0, ...kernel] = shape;
  const area = elementCount(kernel);
  const fans = { fanIn: inputs * area, fanOut: outputs * area };
  return [
    scope.parameter({ name: `${layer}.weight`, shape, kind: 'weight', ...fans }),
    scope.parameter({ name: `${layer}.bias`, shape: [outputs], kind: 'bias', ...fans }),
  ];
}

/** How many numbers a forward graph learns. */
export function parameterCount(graph: Graph, names: readonly string[]): number {
  return names.reduce((sum, name) => {
    const type = graph.types.get(name);
    return sum + (type ? elementCount(staticShape({ name, type })) : 0);
  }, 0);
}

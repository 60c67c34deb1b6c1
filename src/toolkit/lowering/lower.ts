// Graph with Quati's own operators → the same function in operators that ONNX Runtime has.
import { sign } from '../autodiff/sign.js';
import { GraphBuilder } from '../graph/builder.js';
import { consumers, type Graph, type Node, type Value } from '../graph/graph.js';
import { operatorOf, type TrainingOperator } from '../graph/shape-inference.js';
import { clipGrad, reluGrad } from './activations.js';
import { blockedRules } from './blocked.js';
import type { Lowered, LoweringContext } from './context.js';
import { convInputGrad, convWeightGrad } from './convolution.js';
import { Layouts } from './layouts.js';
import { batchNormGrad, batchNormTraining } from './normalisation.js';
import { averagePoolGrad, maxPoolGrad, withIndices } from './pooling.js';

type Lowering = (context: LoweringContext) => Value[];

const portable: Record<TrainingOperator, Lowering> = {
  AveragePoolGrad: averagePoolGrad,
  BatchNormGrad: batchNormGrad,
  BatchNormTraining: batchNormTraining,
  Binarise: ({ builder, inputs: [x] }) => [sign(builder, x as Value)],
  ClipGrad: (context) => [clipGrad(context.builder, context.inputs)],
  ConvInputGrad: (context) => [convInputGrad(context)],
  ConvWeightGrad: (context) => [convWeightGrad(context)],
  MaxPoolGrad: (context) => [maxPoolGrad(context)],
  ReluGrad: (context) => [reluGrad(context.builder, context.inputs)],
};

export interface LoweringOptions {
  /** Channels per block, if ONNX Runtime has the blocked operators on this machine; undefined for standard ONNX only. */
  readonly block?: number;
}

/** Replaces every operator of the `quati` domain. The graph's inputs and outputs keep their names. */
export function lower(graph: Graph, { block }: LoweringOptions = {}): Graph {
  const builder = new GraphBuilder(graph.name, graph.types.keys());
  for (const { name, type } of graph.inputs) builder.input(name, type.shape, type.dataType);
  for (const [name, data] of graph.initializers) builder.initializer(name, data);
  const lowering = new GraphLowering(graph, builder, block);
  for (const node of graph.nodes) lowering.add(node);
  for (const { name } of graph.outputs) builder.output(lowering.layouts.plain(name), name);
  return builder.build();
}

class GraphLowering {
  readonly layouts: Layouts;
  readonly #readers: ReadonlyMap<string, readonly Node[]>;
  readonly #outputs: ReadonlySet<string>;
  readonly #fused = new Map<string, string>();

  constructor(
    readonly graph: Graph,
    readonly builder: GraphBuilder,
    readonly block: number | undefined,
  ) {
    this.layouts = new Layouts(builder, block ?? 1);
    this.#readers = consumers(graph);
    this.#outputs = new Set(graph.outputs.map(({ name }) => name));
  }

  add(node: Node): void {
    const source = this.#fused.get(node.outputs[0] ?? '');
    const lowered = source === undefined ? this.#blocked(node) : [this.#alias(source)];
    if (!lowered) this.#plain(node);
    lowered?.forEach(({ value, layout }, i) => {
      this.layouts.define(node.outputs[i] ?? '', value, layout);
    });
  }

  #alias(source: string): Lowered {
    return { value: this.layouts.blocked(source), layout: 'blocked' };
  }

  #blocked(node: Node): Lowered[] | undefined {
    if (this.block === undefined) return undefined;
    const operator = operatorOf(node);
    const rule = operator && blockedRules[operator];
    const relu = this.#onlyRelu(node);
    const lowered = rule?.({
      builder: this.builder,
      layouts: this.layouts,
      node,
      fusesRelu: relu !== undefined,
    });
    if (lowered && relu) this.#fused.set(relu, node.outputs[0] ?? '');
    return lowered;
  }

  /** Returns the output of a Relu that is the only reader of a convolution; else undefined. */
  #onlyRelu({ op, domain, outputs: [output = ''] }: Node): string | undefined {
    const [reader, ...others] = this.#readers.get(output) ?? [];
    const alone = op === 'Conv' && domain === '' && others.length === 0 && !this.#outputs.has(output);
    return alone && reader?.op === 'Relu' ? reader.outputs[0] : undefined;
  }

  #plain(original: Node): void {
    const inputs = original.inputs.map((name) => (name === '' ? '' : this.layouts.plain(name).name));
    const node = { ...original, inputs };
    if (node.domain !== 'quati') {
      this.builder.append(withIndices(node, this.#readers));
      return;
    }
    const rewrite = portable[node.op as TrainingOperator];
    const values = rewrite({
      builder: this.builder,
      node,
      inputs: inputs.map((name) => this.builder.value(name)),
    });
    values.forEach((value, i) => {
      this.layouts.define(node.outputs[i] ?? '', value, 'plain');
    });
  }
}

// Forward graph → one training step (+ loss, + backward, + optimiser), and → one evaluation step (+ loss).
import { imageName, logitsName } from '../architectures/forward.js';
import { differentiate } from '../autodiff/differentiate.js';
import { GraphBuilder } from '../graph/builder.js';
import { GraphError } from '../graph/errors.js';
import { type Dim, elementCount, type Graph, type Value } from '../graph/graph.js';
import { type LoweringOptions, lower } from '../lowering/lower.js';
import { correctCount, crossEntropySum, type Loss } from './losses.js';
import { decayOf, type Optimiser } from './optimisers.js';

/** Where each parameter lies in the flat vector that the optimiser works on. */
export interface ParameterLayout {
  readonly entries: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly length: number;
}

export const names = {
  image: imageName,
  labels: 'labels',
  parameters: 'parameters',
  loss: 'loss',
  correct: 'correct',
  /** The state and scalars of the optimiser enter under their own names and leave with this suffix. */
  next: (name: string) => `${name}.next`,
} as const;

export interface StepOptions extends LoweringOptions {
  /** Default: softmax cross-entropy. */
  readonly loss?: Loss | undefined;
}

/** All float32 initializers that the forward graph names in `parameters`, one after the other. */
export function layoutOf(forward: Graph, parameters: readonly string[]): ParameterLayout {
  const entries = parameters.map((name) => {
    const data = forward.initializers.get(name);
    if (!data) throw new GraphError(`${forward.name}: has no parameter ${name}`);
    return { name, shape: data.dims };
  });
  return { entries, length: entries.reduce((sum, { shape }) => sum + elementCount(shape), 0) };
}

/**
 * Inputs `image`, `labels` (int64 [N]), `parameters` and the optimiser's state (flat), its scalars.
 * Outputs `loss` (mean over the batch), `correct`, and the `.next` of parameters and state.
 * The forward graph's batch has to be a number. Standard ONNX operators only.
 */
export function buildTrainingStep(
  forward: Graph,
  layout: ParameterLayout,
  optimiser: Optimiser,
  { loss, ...lowering }: StepOptions = {},
): Graph {
  const { builder, logits, labels, batch } = withFlatParameters(forward, layout);
  if (typeof batch !== 'number')
    throw new GraphError(`${forward.name}: training needs a batch size, got ${batch}`);
  const sum = crossEntropySum(builder, logits, labels, loss);
  builder.output(builder.op('Mul', [sum, builder.scalar(1 / batch)]), names.loss);
  builder.output(correctCount(builder, logits, labels, loss), names.correct);
  const { graph, gradients } = differentiate(
    builder.build(),
    names.loss,
    layout.entries.map(({ name }) => name),
  );
  return lower(withUpdate(graph, gradients, layout, optimiser), lowering);
}

/** As the training step, but with one output more, `gradient` (flat), and none of the optimiser's. */
export function buildGradientStep(
  forward: Graph,
  layout: ParameterLayout,
  { loss, ...lowering }: StepOptions = {},
): Graph {
  const { builder, logits, labels, batch } = withFlatParameters(forward, layout);
  const sum = crossEntropySum(builder, logits, labels, loss);
  builder.output(builder.op('Mul', [sum, builder.scalar(1 / Number(batch))]), names.loss);
  const wanted = layout.entries.map(({ name }) => name);
  const { graph, gradients } = differentiate(builder.build(), names.loss, wanted);
  const extended = GraphBuilder.from(graph);
  for (const { name } of graph.outputs) extended.output(extended.value(name));
  extended.output(flatGradient(extended, gradients, layout), 'gradient');
  return lower(extended.build(), lowering);
}

/** Inputs `image`, `labels`, `parameters`; outputs `loss` (sum over the batch) and `correct`. Any batch. */
export function buildEvaluationStep(forward: Graph, layout: ParameterLayout, loss?: Loss): Graph {
  const { builder, logits, labels } = withFlatParameters(forward, layout);
  builder.output(crossEntropySum(builder, logits, labels, loss), names.loss);
  builder.output(correctCount(builder, logits, labels, loss), names.correct);
  return builder.build();
}

interface Unrolled {
  readonly builder: GraphBuilder;
  readonly logits: Value;
  readonly labels: Value;
  readonly batch: Dim;
}

/** The forward graph with its parameters cut out of one flat input instead of being initializers. */
function withFlatParameters(forward: Graph, layout: ParameterLayout): Unrolled {
  const builder = new GraphBuilder(forward.name, forward.types.keys());
  const [image] = forward.inputs;
  const batch = image?.type.shape[0];
  if (image?.name !== names.image || batch === undefined) {
    throw new GraphError(`${forward.name}: expected one input named ${names.image}`);
  }
  builder.input(image.name, image.type.shape);
  const labels = builder.input(names.labels, [batch], 'int64');
  const flat = builder.input(names.parameters, [layout.length]);
  const learned = new Set(layout.entries.map(({ name }) => name));
  for (const [name, data] of forward.initializers) {
    if (!learned.has(name)) builder.initializer(name, data);
  }
  const sizes = builder.integers(layout.entries.map(({ shape }) => elementCount(shape)));
  const parts = builder.ops('Split', [flat, sizes], layout.entries.length);
  layout.entries.forEach(({ name, shape }, i) => {
    builder.ops('Reshape', [parts[i], builder.integers(shape)], 1, { outputs: [name] });
  });
  for (const node of forward.nodes) builder.append(node);
  return { builder, logits: builder.value(logitsName), labels, batch };
}

function flatGradient(
  builder: GraphBuilder,
  gradients: ReadonlyMap<string, Value>,
  layout: ParameterLayout,
): Value {
  const flat = layout.entries.map(({ name }) =>
    builder.op('Reshape', [builder.value(gradients.get(name)?.name ?? name), builder.integers([-1])]),
  );
  return builder.op('Concat', flat, { axis: { int: 0 } });
}

function withUpdate(
  graph: Graph,
  gradients: ReadonlyMap<string, Value>,
  layout: ParameterLayout,
  optimiser: Optimiser,
): Graph {
  const builder = GraphBuilder.from(graph);
  const { parameters, state } = optimiser.update(builder, {
    parameters: builder.value(names.parameters),
    gradient: flatGradient(builder, gradients, layout),
    state: optimiser.stateNames.map((name) => builder.input(name, [layout.length])),
    scalars: optimiser.scalarNames.map((name) => builder.input(name, [])),
    decay: decayOf(builder, layout.entries),
  });
  for (const { name } of graph.outputs) builder.output(builder.value(name));
  builder.output(parameters, names.next(names.parameters));
  state.forEach((value, i) => {
    builder.output(value, names.next(optimiser.stateNames[i] ?? ''));
  });
  return builder.build();
}

// a forward graph → a training step (with loss, gradients and optimiser), or an evaluation step (with loss).
import { imageName, logitsName } from '../../architectures/forward.js';
import { differentiate } from '../../autodiff/differentiate.js';
import { GraphBuilder } from '../../graph/builder.js';
import { GraphError } from '../../graph/errors.js';
import { type Dim, elementCount, type Graph, type Value } from '../../graph/graph.js';
import { boolTensor } from '../../graph/tensor-data.js';
import { type LoweringOptions, lower } from '../../lowering/lower.js';
import type { Loss } from '../recipe/settings.js';
import { correctCount, crossEntropySum, surestLabels } from './losses.js';
import { decayOf, type Optimiser } from './optimisers.js';
import {
  appendForTraining,
  type DropoutMask,
  latentNames,
  statisticNames,
  type TrainingMode,
} from './training-mode.js';

export interface ParameterEntry {
  readonly name: string;
  readonly shape: readonly number[];
  /** False for running statistics, which follow the batches and not the gradient. */
  readonly learned: boolean;
  /** True if only its sign enters the network. It then stays within ±1. */
  readonly latent: boolean;
}

/** The position of each parameter in the flat vector of the optimiser. */
export interface ParameterLayout {
  readonly entries: readonly ParameterEntry[];
  readonly length: number;
}

export const names = {
  image: imageName,
  labels: 'labels',
  parameters: 'parameters',
  loss: 'loss',
  correct: 'correct',
  answers: 'answers',
  /** The inputs for the state and scalars of the optimiser have plain names, and the outputs have this suffix. */
  next: (name: string) => `${name}.next`,
} as const;

export interface StepOptions extends LoweringOptions {
  /** Default: softmax cross-entropy. */
  readonly loss?: Loss | undefined;
}

/** All float32 initializers that the forward graph names in `parameters`, one after the other. */
export function layoutOf(forward: Graph, parameters: readonly string[]): ParameterLayout {
  const statistics = statisticNames(forward.nodes);
  const latent = latentNames(forward.nodes);
  const entries = parameters.map((name) => {
    const data = forward.initializers.get(name);
    if (!data) throw new GraphError(`${forward.name}: has no parameter ${name}`);
    return { name, shape: data.dims, learned: !statistics.has(name), latent: latent.has(name) };
  });
  return { entries, length: entries.reduce((sum, { shape }) => sum + elementCount(shape), 0) };
}

export interface Step {
  readonly graph: Graph;
  /** Inputs that have new values in every step. */
  readonly masks: readonly DropoutMask[];
  /** Whether the scalar `annealing` is an input too. */
  readonly annealed: boolean;
}

/**
 * Inputs `image`, `labels` (int64 [N]), `parameters` and the optimiser's state (flat), its scalars, dropout masks.
 * Outputs `loss` (mean over the batch), `correct`, and the `.next` of parameters and state; running statistics are part of the
 * parameters. The batch of the forward graph must be fixed. Without `block`, the graph has standard ONNX operators only.
 */
export function buildTrainingStep(
  forward: Graph,
  layout: ParameterLayout,
  optimiser: Optimiser,
  { loss, ...lowering }: StepOptions = {},
): Step {
  const { graph, gradients, mode } = buildBackward(forward, layout, loss);
  const updated = withUpdate(graph, gradients, { layout, optimiser, mode });
  return { graph: lower(updated, lowering), masks: mode.masks, annealed: mode.annealing !== undefined };
}

/** The training step without the optimiser, and with the additional output `gradient` (flat, 0 for statistics). */
export function buildGradientStep(
  forward: Graph,
  layout: ParameterLayout,
  { loss, ...lowering }: StepOptions = {},
): Step {
  const { graph, gradients, mode } = buildBackward(forward, layout, loss);
  const extended = GraphBuilder.from(graph);
  for (const { name } of graph.outputs) extended.output(extended.value(name));
  extended.output(flatGradient(extended, gradients, layout), 'gradient');
  return {
    graph: lower(extended.build(), lowering),
    masks: mode.masks,
    annealed: mode.annealing !== undefined,
  };
}

interface Backward {
  readonly graph: Graph;
  readonly gradients: ReadonlyMap<string, Value>;
  readonly mode: TrainingMode;
}

/** Forward in training mode, loss, and the gradient of every learned parameter. */
function buildBackward(forward: Graph, layout: ParameterLayout, loss?: Loss): Backward {
  const mode: TrainingMode = { masks: [], statistics: [] };
  const { builder, logits, labels, batch } = withFlatParameters(forward, layout, mode);
  if (typeof batch !== 'number')
    throw new GraphError(`${forward.name}: expected a fixed batch size for training, got ${batch}`);
  const sum = crossEntropySum(builder, logits, labels, loss);
  builder.output(builder.op('Mul', [sum, builder.scalar(1 / batch)]), names.loss);
  builder.output(correctCount(builder, logits, labels, loss), names.correct);
  const learned = layout.entries.flatMap(({ name, learned }) => (learned ? [name] : []));
  return { ...differentiate(builder.build(), names.loss, learned), mode };
}

/** Inputs `image`, `labels`, `parameters`; outputs `loss` (sum over the batch) and `answers` (int64 [N]). Any batch. */
export function buildEvaluationStep(forward: Graph, layout: ParameterLayout, loss?: Loss): Graph {
  const { builder, logits, labels } = withFlatParameters(forward, layout);
  builder.output(crossEntropySum(builder, logits, labels, loss), names.loss);
  builder.output(surestLabels(builder, logits, loss), names.answers);
  return lower(builder.build());
}

interface Unrolled {
  readonly builder: GraphBuilder;
  readonly logits: Value;
  readonly labels: Value;
  readonly batch: Dim;
}

/** The forward graph with its parameters as slices of one flat input instead of initializers; in training mode if one is given. */
function withFlatParameters(forward: Graph, layout: ParameterLayout, mode?: TrainingMode): Unrolled {
  const builder = new GraphBuilder(forward.name, forward.types.keys());
  const [image] = forward.inputs;
  const batch = image?.type.shape[0];
  if (image?.name !== names.image || batch === undefined) {
    throw new GraphError(`${forward.name}: expected one input named ${names.image}`);
  }
  builder.input(image.name, image.type.shape);
  const labels = builder.input(names.labels, [batch], 'int64');
  const flat = builder.input(names.parameters, [layout.length]);
  const inVector = new Set(layout.entries.map(({ name }) => name));
  for (const [name, data] of forward.initializers) {
    if (!inVector.has(name)) builder.initializer(name, data);
  }
  const sizes = builder.integers(layout.entries.map(({ shape }) => elementCount(shape)));
  const parts = builder.ops('Split', [flat, sizes], layout.entries.length);
  layout.entries.forEach(({ name, shape }, i) => {
    builder.ops('Reshape', [parts[i], builder.integers(shape)], 1, { outputs: [name] });
  });
  for (const node of forward.nodes) {
    if (mode) appendForTraining(builder, node, mode);
    else builder.append(node);
  }
  return { builder, logits: builder.value(logitsName), labels, batch };
}

function flatGradient(
  builder: GraphBuilder,
  gradients: ReadonlyMap<string, Value>,
  layout: ParameterLayout,
): Value {
  const flat = layout.entries.map(({ name, shape }) => {
    const gradient = gradients.get(name);
    if (gradient) return builder.op('Reshape', [builder.value(gradient.name), builder.integers([-1])]);
    return builder.floats(Array(elementCount(shape)).fill(0), [elementCount(shape)]);
  });
  return builder.op('Concat', flat, { axis: { int: 0 } });
}

interface UpdateParts {
  readonly layout: ParameterLayout;
  readonly optimiser: Optimiser;
  readonly mode: TrainingMode;
}

function withUpdate(
  graph: Graph,
  gradients: ReadonlyMap<string, Value>,
  { layout, optimiser, mode }: UpdateParts,
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
  const clipped = clipLatent(builder, parameters, layout);
  builder.output(withStatistics(builder, clipped, layout, mode), names.next(names.parameters));
  state.forEach((value, i) => {
    builder.output(value, names.next(optimiser.stateNames[i] ?? ''));
  });
  return builder.build();
}

/** Clips latent weights to ±1: beyond it a weight would only take longer to change its sign (Courbariaux, Bengio and David, 2015). */
function clipLatent(builder: GraphBuilder, updated: Value, { entries, length }: ParameterLayout): Value {
  if (!entries.some(({ latent }) => latent)) return updated;
  const isLatent = builder.shared('latent', () => {
    const flags = entries.flatMap(({ shape, latent }) =>
      Array<number>(elementCount(shape)).fill(Number(latent)),
    );
    return boolTensor(flags, [length]);
  });
  const clipped = builder.op('Clip', [updated, builder.scalar(-1), builder.scalar(1)]);
  return builder.op('Where', [isLatent, clipped, updated]);
}

/** The updated vector, with running statistics moved towards those of the batch: r' = keep r + (1 - keep) batch. */
function withStatistics(
  builder: GraphBuilder,
  updated: Value,
  { entries }: ParameterLayout,
  { statistics }: TrainingMode,
): Value {
  if (statistics.length === 0) return updated;
  const sizes = entries.map(({ shape }) => elementCount(shape));
  const parts = builder.ops('Split', [updated, builder.integers(sizes)], entries.length);
  const moved = new Map(
    statistics.map(({ running, batch, keep }) => {
      const kept = builder.op('Mul', [builder.value(running), builder.scalar(keep)]);
      const fresh = builder.op('Mul', [builder.value(batch.name), builder.scalar(1 - keep)]);
      return [running, builder.op('Add', [kept, fresh])] as const;
    }),
  );
  const joined = entries.map(({ name }, i) => moved.get(name) ?? (parts[i] as Value));
  return builder.op('Concat', joined, { axis: { int: 0 } });
}

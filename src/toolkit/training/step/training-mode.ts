// the nodes of a forward graph → their form in training: statistics of the batch instead of running ones, dropout with masks as inputs.

import { isAnnealed } from '../../autodiff/sign-gradients.js';
import { type GraphBuilder, staticShape } from '../../graph/builder.js';
import { GraphError } from '../../graph/errors.js';
import { elementCount, floatAttribute, type Node, type Value } from '../../graph/graph.js';
import { toFloat32Array } from '../../graph/tensor-data.js';

/** A mask, which is an input of every step: 0 where a value is dropped, 1 / (1 - rate) elsewhere. */
export interface DropoutMask {
  /** The name of the input, and of the random stream of the mask. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly rate: number;
}

/** Running statistics: `running` moves towards those of the batch. */
interface RunningStatistic {
  readonly running: string;
  /** Already corrected for the size of the batch. */
  readonly batch: Value;
  /** running' = keep * running + (1 - keep) * batch. ONNX calls `keep` momentum. */
  readonly keep: number;
}

export interface TrainingMode {
  readonly masks: DropoutMask[];
  readonly statistics: RunningStatistic[];
  /** The scalar that anneals the gradients of the sign, if one of them needs it. */
  annealing?: Value;
}

export const annealingName = 'annealing';

/** Appends a node in its form for training, and records the inputs and statistics that it needs. */
export function appendForTraining(builder: GraphBuilder, node: Node, mode: TrainingMode): void {
  if (node.op === 'BatchNormalization') appendBatchNorm(builder, node, mode.statistics);
  else if (node.op === 'Dropout') appendDropout(builder, node, mode.masks);
  else if (isAnnealed(node)) {
    mode.annealing ??= builder.input(annealingName, []);
    builder.append({ ...node, inputs: [...node.inputs, annealingName] });
  } else builder.append(node);
}

/** The names of the running statistics, which a forward graph holds but does not learn. */
export function statisticNames(nodes: readonly Node[]): Set<string> {
  return new Set(nodes.flatMap(({ op, inputs }) => (op === 'BatchNormalization' ? inputs.slice(3, 5) : [])));
}

/** The parameters of which only the sign enters the network. */
export function latentNames(nodes: readonly Node[]): Set<string> {
  return new Set(nodes.flatMap(({ op, inputs }) => (op === 'Binarise' ? inputs : [])));
}

/** The running variance uses the variance of the batch with n - 1 in the denominator, as in PyTorch. */
function appendBatchNorm(builder: GraphBuilder, node: Node, statistics: RunningStatistic[]): void {
  const [x = '', scale = '', bias = '', runningMean = '', runningVariance = ''] = node.inputs;
  const [y = ''] = node.outputs;
  const outputs = ['', '.mean', '.variance', '.centred', '.inverseStd'].map((suffix) => `${y}${suffix}`);
  const inputs = [x, scale, bias].map((name) => builder.value(name));
  const attributes = { epsilon: { float: floatAttribute(node, 'epsilon', 1e-5) } };
  const [, mean, variance] = builder.ops('BatchNormTraining', inputs, outputs.length, {
    name: node.name,
    outputs,
    attributes,
  });
  const shape = staticShape(builder.value(x));
  const samples = elementCount(shape) / (shape[1] ?? 1);
  if (samples < 2) {
    throw new GraphError(
      `${node.op} ${node.name}: expected more than one value per channel, got [${shape.join(', ')}]`,
    );
  }
  const unbiased = builder.op('Mul', [variance, builder.scalar(samples / (samples - 1))]);
  const keep = floatAttribute(node, 'momentum', 0.9);
  statistics.push({ running: runningMean, batch: mean as Value, keep });
  statistics.push({ running: runningVariance, batch: unbiased, keep });
}

function appendDropout(builder: GraphBuilder, node: Node, masks: DropoutMask[]): void {
  const [x = '', ratio = ''] = node.inputs;
  const input = builder.value(x);
  const data = builder.constantData(ratio);
  const rate = data ? (toFloat32Array(data)[0] ?? 0) : 0.5;
  const shape = staticShape(input);
  const mask = builder.input(`${node.name}.mask`, shape);
  masks.push({ name: mask.name, shape, rate });
  builder.ops('Mul', [input, mask], 1, { outputs: node.outputs.slice(0, 1) });
}

// the graph of a training step and a state → the state after a batch. It owns the sessions, and does not know epochs or files.
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { loadRuntime } from '../../../inference/workers/runtime.js';
import { annealingAt } from '../../autodiff/sign-gradients.js';
import type { Graph } from '../../graph/graph.js';
import { encodeOnnx } from '../../graph/onnx.js';
import type { Batch } from '../batches/batches.js';
import type { Loss } from '../recipe/settings.js';
import { diverged } from './divergence.js';
import { dropoutMask } from './dropout.js';
import type { Network } from './network.js';
import type { Optimiser } from './optimisers.js';
import { buildEvaluationStep, buildTrainingStep, names, type ParameterLayout } from './step-graph.js';
import { annealingName, type DropoutMask } from './training-mode.js';

/** Everything that a step changes, as flat vectors over all parameters. */
export interface StepState {
  readonly parameters: Float32Array;
  /** One vector per state name of the optimiser. */
  readonly optimiser: readonly Float32Array[];
  /** The number of finished steps. */
  readonly step: number;
}

interface StepResult {
  /** Summed over the batch. */
  readonly lossSum: number;
  readonly correct: number;
}

interface EvaluationResult {
  /** Summed over the batch. */
  readonly lossSum: number;
  /** The label with the highest score, for each image. */
  readonly answers: BigInt64Array;
}

export interface StepRunner {
  /** Runs one optimiser step. `progress` is the finished part of the run, 0…1, default 0. @throws DivergedError if the loss is not a finite number; the state is then unchanged. */
  step(batch: Batch, learningRate: number, progress?: number): Promise<StepResult>;
  evaluate(batch: Batch): Promise<EvaluationResult>;
  state(): StepState;
  readonly layout: ParameterLayout;
  release(): Promise<void>;
}

export interface StepRunnerOptions {
  readonly network: Network;
  readonly optimiser: Optimiser;
  /** Default: softmax cross-entropy. */
  readonly loss?: Loss;
  readonly state: StepState;
  readonly threads: number;
  /** The seed of the dropout masks; default 0. */
  readonly seed?: number;
  /** Channels per block, if ONNX Runtime has the blocked operators on this machine; undefined for standard ONNX only. */
  readonly block?: number | undefined;
}

interface TrainingSession {
  readonly session: InferenceSession;
  readonly masks: readonly DropoutMask[];
  readonly annealed: boolean;
}

export async function createStepRunner(options: StepRunnerOptions): Promise<StepRunner> {
  const { network, optimiser, loss } = options;
  const { layout } = network.parameters;
  const { InferenceSession, Tensor } = await loadRuntime();
  const open = (graph: Graph) =>
    InferenceSession.create(encodeOnnx(graph), {
      executionProviders: ['cpu'],
      // The memory plan is made after the first run, and exists next to the memory of that run: twice the memory, and no faster.
      enableMemPattern: false,
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
    });
  const trainingSessions = new Map<number, TrainingSession>();
  const evaluation = await open(buildEvaluationStep(network.forward('N'), layout, loss));
  const flat = (data: Float32Array) => new Tensor('float32', data, [layout.length]);

  let step = options.state.step;
  let current = flat(options.state.parameters);
  let optimiserState = options.state.optimiser.map(flat);

  async function sessionFor(batchSize: number): Promise<TrainingSession> {
    const known = trainingSessions.get(batchSize);
    if (known) return known;
    const { block } = options;
    const { graph, masks, annealed } = buildTrainingStep(network.forward(batchSize), layout, optimiser, {
      loss,
      ...(block !== undefined && { block }),
    });
    const opened = { session: await open(graph), masks, annealed };
    trainingSessions.set(batchSize, opened);
    return opened;
  }

  function feedsFor({ images, labels, count }: Batch): Record<string, Tensor> {
    return {
      [names.image]: new Tensor('float32', images, [count, ...network.inputShape]),
      [names.labels]: new Tensor('int64', labels, [count]),
      [names.parameters]: current,
    };
  }

  return {
    async step(batch, learningRate, progress = 0) {
      const { session, masks, annealed } = await sessionFor(batch.count);
      const feeds = feedsFor(batch);
      for (const mask of masks) {
        feeds[mask.name] = new Tensor('float32', dropoutMask(mask, options.seed ?? 0, step), mask.shape);
      }
      if (annealed) feeds[annealingName] = new Tensor('float32', [annealingAt(progress)], []);
      optimiser.stateNames.forEach((name, i) => {
        feeds[name] = optimiserState[i] as Tensor;
      });
      optimiser.scalars(step + 1, learningRate).forEach((value, i) => {
        feeds[optimiser.scalarNames[i] as string] = new Tensor('float32', [value], []);
      });
      const results = await session.run(feeds);
      const loss = scalarOf(results, names.loss);
      if (!Number.isFinite(loss)) {
        const parameters = current.data as Float32Array;
        throw diverged(`the loss is ${loss}`, { layout, parameters, step: step + 1 });
      }
      step += 1;
      current = results[names.next(names.parameters)] as typeof current;
      optimiserState = optimiser.stateNames.map((name) => results[names.next(name)] as typeof current);
      return { lossSum: loss * batch.count, correct: scalarOf(results, names.correct) };
    },
    async evaluate(batch) {
      const results = await evaluation.run(feedsFor(batch));
      const answers = results[names.answers]?.data as BigInt64Array;
      return { lossSum: scalarOf(results, names.loss), answers };
    },
    state: () => ({
      step,
      parameters: current.data as Float32Array,
      optimiser: optimiserState.map((tensor) => tensor.data as Float32Array),
    }),
    layout,
    async release() {
      await evaluation.release();
      for (const { session } of trainingSessions.values()) await session.release();
    },
  };
}

function scalarOf(results: InferenceSession.OnnxValueMapType, name: string): number {
  return Number((results[name] as Tensor).data[0]);
}

// a recipe and a dataset → the folder of a run with history, checkpoint and float32.onnx. Start here to read the training code.
import type { EventEmitter } from 'node:events';
import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { mean } from 'simple-statistics';
import { disableTelemetry } from '../../../inference/workers/runtime.js';
import type { BadImage } from '../../datasets/dataset.js';
import { describeDataset } from '../../datasets/load.js';
import { exists, writeFileAtomic } from '../../files.js';
import type { Graph } from '../../graph/graph.js';
import { encodeOnnx } from '../../graph/onnx.js';
import { parameterCount } from '../backbone/cut.js';
import { DatasetMismatchError, RunError, TrainingError } from '../errors.js';
import { fitLabels } from '../recipe/fit-labels.js';
import type { Recipe } from '../recipe/recipe.js';
import { learnedCount, parameterLayout } from '../step/parameters.js';
import type { StepProgress } from './epochs.js';
import { exportForward } from './export.js';
import type { EpochRecord } from './history.js';
import type { ThreadMessage, TrainingJob } from './messages.js';
import { type RunRecord, readRun, runFolder, writeRun } from './run-folder.js';
import { errorFromThread } from './thread-errors.js';

export interface TrainOptions {
  readonly recipe: Recipe;
  readonly datasetFolder: string;
  readonly runFolder: string;
  /** For a recipe with a backbone: the result of `cutBackbone` for its file. A resumed run already has it. */
  readonly backbone?: Graph;
  /** What to do if the folder already holds a run. If undefined, that is an error. */
  readonly existing?: 'resume' | 'replace';
  /** Threads inside an operator. Default: one per processor, or as in the resumed run. The last bits of the weights depend on it. */
  readonly threads?: number;
  /** Whether to use standard ONNX operators only. Default: as in the resumed run. The last bits of the weights depend on it. */
  readonly portable?: boolean;
  /** Threads that augment in advance; default: 1. The weights do not depend on it. */
  readonly dataThreads?: number;
  /** Whether to skip files of an image folder that are not images. */
  readonly skipBad?: boolean;
  readonly maxSteps?: number;
  /** The command line, for the record of the run. */
  readonly command: string;
  readonly tool: string;
  /** Stops the run between two steps, with a checkpoint to resume from. */
  readonly signal?: AbortSignal;
  /** Called while the images of a folder are decoded. */
  readonly onDecoded?: (files: number, of: number) => void;
  /** Called while the features of a backbone are computed. */
  readonly onFeatures?: (images: number, of: number) => void;
  readonly onSkipped?: (bad: readonly BadImage[]) => void;
  /** Called with the sentences that say how a folder of images was understood. */
  readonly onNotes?: (notes: readonly string[]) => void;
  readonly onStep?: (progress: StepProgress) => void;
  readonly onEpoch?: (record: EpochRecord) => void;
  /** Runs the job and sends its messages. Default: a worker thread. */
  readonly startThread?: StartThread;
}

/** Emits the messages of the job. Any message that is posted to it stops the training. */
export interface TrainingThread extends EventEmitter {
  postMessage(message: string): void;
  terminate(): Promise<number>;
}

type StartThread = (job: TrainingJob) => TrainingThread;

export interface TrainResult {
  /** False if the run was stopped before the end of its last epoch. */
  readonly finished: boolean;
  readonly steps: number;
  /** The best epoch, if its weights were exported; absent if those of the last epoch were. */
  readonly best?: EpochRecord;
  /** Mean losses over the first and the last `lossWindow` steps of this call; absent if no step was left. */
  readonly loss?: { readonly first: number; readonly last: number };
  readonly history: readonly EpochRecord[];
  readonly parameters: number;
}

const lossWindow = 20;

/**
 * Trains in a worker thread, and exports the forward graph with the weights of the last or of the best epoch.
 * @throws RunError if the folder already holds a run, or holds none to resume.
 * @throws DatasetMismatchError if images or labels do not fit the network, or a resumed run began with others.
 * @throws DivergedError if the loss or a weight is not a finite number. The last checkpoint is from before that step.
 * @throws CheckpointError if the checkpoint to resume from is damaged.
 * @throws AbortError if the signal arrives before the first step, while the images of a folder are read. Nothing is trained then.
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const record = await prepareRun(options);
  const job: TrainingJob = {
    recipe: record.recipe,
    datasetFolder: options.datasetFolder,
    runFolder: options.runFolder,
    resume: options.existing === 'resume',
    threads: record.threads ?? availableParallelism(),
    portable: record.portable ?? false,
    dataThreads: options.dataThreads ?? 1,
    skipBad: record.dataset.skipBad ?? false,
    ...(options.maxSteps !== undefined && { maxSteps: options.maxSteps }),
  };
  const losses: number[] = [];
  const { history, steps, finished } = await runThread(job, {
    ...options,
    onStep(progress) {
      losses.push(progress.stepLoss);
      options.onStep?.(progress);
    },
  });
  const best = await exportWeights(options.runFolder, record.recipe, history);
  await writeRun(options.runFolder, { ...record, finished, ...(best && { best }) });
  return {
    finished,
    steps,
    ...(best && { best }),
    ...(losses.length > 0 && {
      loss: { first: mean(losses.slice(0, lossWindow)), last: mean(losses.slice(-lossWindow)) },
    }),
    history,
    parameters: record.parameters,
  };
}

/** Returns the best epoch if it is the exported one. */
async function exportWeights(
  folder: string,
  recipe: Recipe,
  history: readonly EpochRecord[],
): Promise<EpochRecord | undefined> {
  const keepsBest = recipe.earlyStopping !== undefined && history.length > 0;
  const exported = await exportForward(runFolder(folder), recipe, keepsBest ? 'best' : 'checkpoint');
  return keepsBest ? exported : undefined;
}

async function prepareRun(options: TrainOptions): Promise<RunRecord> {
  const folder = runFolder(options.runFolder);
  const held = (await exists(folder.checkpoint)) || (await exists(folder.head));
  if (options.existing === 'resume') {
    if (!held) throw new RunError(`${options.runFolder}: holds no checkpoint to resume from`);
    return await resumeRun(options);
  }
  if (held && options.existing !== 'replace') {
    throw new RunError(
      `${options.runFolder} already holds a run: continue it with --resume, delete it with --force, or choose another folder with --run <folder>`,
    );
  }
  return await startRun(options);
}

async function resumeRun(options: TrainOptions): Promise<RunRecord> {
  const record = await readRun(options.runFolder);
  const { sha256, notes } = await describeDataset(options.datasetFolder, options.signal);
  options.onNotes?.(notes);
  if (sha256 !== record.dataset.sha256) {
    throw new DatasetMismatchError(
      `${options.datasetFolder}: is not the dataset of ${options.runFolder}; resume with that dataset`,
    );
  }
  const resumed = {
    ...record,
    recipe: { ...record.recipe, epochs: options.recipe.epochs },
    commands: [...record.commands, options.command],
    ...(options.threads !== undefined && { threads: options.threads }),
    ...(options.portable && { portable: true as const }),
  };
  await writeRun(options.runFolder, resumed);
  return resumed;
}

/** Writes the record of a new run, and removes the files of the run that it replaces. */
async function startRun(options: TrainOptions): Promise<RunRecord> {
  const { name, labels, sha256, notes } = await describeDataset(options.datasetFolder, options.signal);
  options.onNotes?.(notes);
  const fitted = fitLabels(options.recipe, labels.length);
  const skipBad = options.skipBad && { skipBad: true as const };
  const record: RunRecord = {
    recipe: fitted,
    dataset: { name, folder: options.datasetFolder, sha256, ...skipBad },
    labels,
    parameters:
      learnedCount(parameterLayout(fitted.architecture)) +
      (options.backbone ? parameterCount(options.backbone) : 0),
    threads: options.threads ?? availableParallelism(),
    ...(options.portable && { portable: true as const }),
    tool: options.tool,
    started: new Date().toISOString(),
    commands: [options.command],
    finished: false,
  };
  const folder = runFolder(options.runFolder);
  // Without this, a resume could continue the replaced run under the new record.
  for (const file of [folder.checkpoint, folder.best, folder.head, folder.bestHead])
    await rm(file, { force: true });
  if (options.backbone) await writeFileAtomic(folder.backbone, encodeOnnx(options.backbone));
  await writeRun(options.runFolder, record);
  return record;
}

type Done = Extract<ThreadMessage, { kind: 'done' }>;

async function runThread(job: TrainingJob, options: TrainOptions): Promise<Done> {
  disableTelemetry();
  const { startThread = startWorker } = options;
  const thread = startThread(job);
  const stop = () => thread.postMessage('stop');
  if (options.signal?.aborted) stop();
  options.signal?.addEventListener('abort', stop, { once: true });
  try {
    return await listen(thread, options);
  } finally {
    options.signal?.removeEventListener('abort', stop);
    await thread.terminate();
  }
}

function startWorker(job: TrainingJob): TrainingThread {
  return new Worker(new URL('./training-thread.js', import.meta.url), { workerData: job });
}

function listen(
  thread: TrainingThread,
  { onDecoded, onFeatures, onSkipped, onStep, onEpoch }: TrainOptions,
): Promise<Done> {
  return new Promise<Done>((resolve, reject) => {
    thread.on('error', reject);
    thread.on('exit', (code) => reject(new TrainingError(`the training thread exited with code ${code}`)));
    thread.on('message', (message: ThreadMessage) => {
      if (message.kind === 'step') onStep?.(message.progress);
      else if (message.kind === 'decoded') onDecoded?.(message.files, message.of);
      else if (message.kind === 'features') onFeatures?.(message.images, message.of);
      else if (message.kind === 'skipped') onSkipped?.(message.bad);
      else if (message.kind === 'checkpoint') {
        for (const record of message.epochs) onEpoch?.(record);
      } else if (message.kind === 'done') resolve(message);
      else reject(errorFromThread(message.name, message.message, message.stack));
    });
  });
}

// Recipe + dataset → a run's folder with history, checkpoint and float32.onnx. READ FIRST for training.
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
  /** Of a recipe that stands on a backbone: what `cutBackbone` made of its file. A resumed run has it already. */
  readonly backbone?: Graph;
  /** What to do when the folder holds a run already; without either that is an error. */
  readonly existing?: 'resume' | 'replace';
  /** Threads inside an operator; default: all of the machine's, or the resumed run's: the last bits depend on it. */
  readonly threads?: number;
  /** Standard ONNX operators only, or as the resumed run: the last bits depend on it. */
  readonly portable?: boolean;
  /** Threads that augment ahead of the steps; default: 1. Weights do not depend on it. */
  readonly dataThreads?: number;
  /** Leave out the files of an image folder that are no images. */
  readonly skipBad?: boolean;
  readonly maxSteps?: number;
  /** Goes into the run's record. */
  readonly command: string;
  readonly tool: string;
  /** Stops between two steps, with a checkpoint to resume from. */
  readonly signal?: AbortSignal;
  /** While the images of a folder are decoded. */
  readonly onDecoded?: (files: number, of: number) => void;
  /** While features of a backbone are computed. */
  readonly onFeatures?: (images: number, of: number) => void;
  readonly onSkipped?: (bad: readonly BadImage[]) => void;
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
  /** False when it was stopped before the last epoch's end. */
  readonly finished: boolean;
  readonly steps: number;
  /** Whose weights were exported, where the recipe asks for the best; else they are the last. */
  readonly best?: EpochRecord;
  /** Means over this call's first and last steps, `lossWindow` of them; absent when none was left to take. */
  readonly loss?: { readonly first: number; readonly last: number };
  readonly history: readonly EpochRecord[];
  readonly parameters: number;
}

const lossWindow = 20;

/**
 * Trains in a worker thread and exports the forward graph with the last weights, or with the best epoch's.
 * @throws RunError when the folder holds a run already, or none to resume.
 * @throws DatasetMismatchError when images or labels do not fit the network, or a resumed run began with others.
 * @throws DivergedError when the loss or the weights are no numbers any more; the last checkpoint is from before.
 * @throws CheckpointError when the checkpoint to resume from is damaged.
 * @throws AbortError when the signal comes before the first step, while the images of a folder are read: nothing was trained.
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

/** Gives the best epoch when it is the one that is exported. */
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
  if ((await describeDataset(options.datasetFolder, options.signal)).sha256 !== record.dataset.sha256) {
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
  const { name, labels, sha256 } = await describeDataset(options.datasetFolder, options.signal);
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

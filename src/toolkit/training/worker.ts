// The training thread: a job in → progress, checkpoints and the result out. session.run blocks its thread, so this is its own.
import { parentPort, workerData } from 'node:worker_threads';
import { classifierOf } from '../architectures/layers.js';
import { isAugmenting } from '../augmentation/augmentation.js';
import type { Dataset } from '../datasets/dataset.js';
import { loadDataset, sharePixels } from '../datasets/dataset.js';
import { probeBlockSize } from '../lowering/probe.js';
import { loadCheckpoint, saveCheckpoint } from './checkpoint.js';
import { DatasetMismatchError } from './errors.js';
import { writeHistory } from './history.js';
import { glorotUniform } from './initialisers.js';
import type { TrainingJob, WorkerMessage } from './messages.js';
import { collectParameters, flatten, type Parameters } from './parameters.js';
import { labelsOf, lossOf, optimiserOf, type Recipe } from './recipe.js';
import { runFolder } from './run.js';
import { createTrainer, type TrainerState } from './trainer.js';
import { runLoop, startOfRun } from './training-loop.js';

const send = (message: WorkerMessage) => parentPort?.postMessage(message);

async function train(job: TrainingJob): Promise<void> {
  const { recipe } = job;
  const stopping = new AbortController();
  parentPort?.on('message', () => stopping.abort());
  const dataset = await readDataset(job, stopping.signal);
  checkDataset(dataset, recipe);
  const optimiser = optimiserOf(recipe);
  const parameters = collectParameters(recipe.architecture, glorotUniform(recipe.seed));
  const files = runFolder(job.runFolder);
  const resumed = job.resume
    ? await loadCheckpoint(files.checkpoint, parameters.layout, optimiser.stateNames)
    : undefined;
  const trainer = await createTrainer({
    architecture: recipe.architecture,
    parameters,
    optimiser,
    loss: lossOf(recipe),
    state: resumed?.state ?? initialState(parameters, optimiser.stateNames.length),
    threads: job.threads,
    seed: recipe.seed,
    block: job.portable ? undefined : await probeBlockSize(),
  });
  let told = resumed?.history.length ?? 0;
  const result = await runLoop({
    recipe,
    dataset,
    trainer,
    start: resumed ?? startOfRun,
    ...(job.maxSteps !== undefined && { maxSteps: job.maxSteps }),
    dataThreads: job.dataThreads,
    shouldStop: () => stopping.signal.aborted,
    onStep: (progress) => send({ kind: 'step', progress }),
    async onCheckpoint(checkpoint, isBest) {
      // The best first: a crash in between repeats the epoch, and writes the same once more.
      for (const file of isBest ? [files.best, files.checkpoint] : [files.checkpoint])
        await saveCheckpoint(file, checkpoint, parameters.layout, optimiser.stateNames);
      await writeHistory(job.runFolder, checkpoint.history);
      send({ kind: 'checkpoint', epochs: checkpoint.history.slice(told) });
      told = checkpoint.history.length;
    },
  });
  await trainer.release();
  send({ kind: 'done', ...result, steps: trainer.state().step });
}

async function readDataset(
  { datasetFolder, recipe, skipBad, dataThreads }: TrainingJob,
  signal: AbortSignal,
): Promise<Dataset> {
  const dataset = await loadDataset(datasetFolder, {
    input: recipe.input,
    skipBad,
    signal,
    onProgress: (files, of) => send({ kind: 'decoded', files, of }),
  });
  if (dataset.skipped) send({ kind: 'skipped', bad: dataset.skipped });
  // Here, so that no second copy stays.
  const isShared = dataThreads > 0 && isAugmenting(recipe.augmentation);
  return isShared ? { ...dataset, train: sharePixels(dataset.train) } : dataset;
}

function initialState({ layout, tensors }: Parameters, vectors: number): TrainerState {
  return {
    step: 0,
    parameters: flatten(layout, tensors, 'initial parameters'),
    optimiser: Array.from({ length: vectors }, () => new Float32Array(layout.length)),
  };
}

function checkDataset({ name, train, labels }: Dataset, recipe: Recipe): void {
  const { architecture } = recipe;
  const { channels, height, width } = architecture.input;
  const got = `${train.channels}x${train.height}x${train.width}`;
  const expected = `${channels}x${height}x${width}`;
  if (got !== expected) {
    throw new DatasetMismatchError(
      `${name}: ${architecture.name} takes images of ${expected}, the dataset has ${got}`,
    );
  }
  const last = classifierOf(architecture);
  const apart = last ? labelsOf(recipe, last.units) : labels.length;
  if (apart !== labels.length) {
    throw new DatasetMismatchError(
      `${name}: ${architecture.name} tells ${apart} labels apart, the dataset has ${labels.length}`,
    );
  }
}

try {
  await train(workerData as TrainingJob);
} catch (error) {
  const { name, message, stack } = error as Error;
  send({ kind: 'failed', name, message, ...(stack !== undefined && { stack }) });
}

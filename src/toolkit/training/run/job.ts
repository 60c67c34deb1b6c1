// a training job → progress, checkpoints and the result or the failure, as messages.
import { channelCount } from '../../../inference/image/channels.js';
import { classifierOf } from '../../architectures/layers.js';
import { isAugmenting } from '../../augmentation/augmentation.js';
import type { Dataset } from '../../datasets/dataset.js';
import { sharePixels } from '../../datasets/dataset.js';
import { loadDataset } from '../../datasets/load.js';
import { probeBlockSize } from '../../lowering/probe.js';
import { imagesOf } from '../batches/training-images.js';
import { DatasetMismatchError } from '../errors.js';
import { labelsOf, type Recipe } from '../recipe/recipe.js';
import { glorotUniform } from '../step/initialisers.js';
import { architectureNetwork } from '../step/network.js';
import { type EpochRecord, writeHistory } from './history.js';
import type { ThreadMessage, TrainingJob } from './messages.js';
import { type PhaseControl, type PhaseResult, runPhase } from './phase.js';
import { runFolder } from './run-folder.js';
import { runTwoPhases } from './two-phases.js';

export type Send = (message: ThreadMessage) => void;

/** Sends the result, or what went wrong, as the last message. @param signal stops between two steps. */
export async function runJob(job: TrainingJob, send: Send, signal: AbortSignal): Promise<void> {
  try {
    send({ kind: 'done', ...(await trainJob(job, send, signal)) });
  } catch (error) {
    const { name, message, stack } = error as Error;
    send({ kind: 'failed', name, message, ...(stack !== undefined && { stack }) });
  }
}

async function trainJob(job: TrainingJob, send: Send, signal: AbortSignal): Promise<PhaseResult> {
  const { recipe } = job;
  const dataset = await readDataset(job, send, signal);
  checkDataset(dataset, recipe);
  const control: PhaseControl = {
    resume: job.resume,
    threads: job.threads,
    block: job.portable ? undefined : await probeBlockSize(),
    ...(job.maxSteps !== undefined && { maxSteps: job.maxSteps }),
    shouldStop: () => signal.aborted,
    onStep: (progress) => send({ kind: 'step', progress }),
    onHistory: historyWriter(job, send),
  };
  const files = runFolder(job.runFolder);
  return recipe.backbone
    ? await runTwoPhases({
        recipe,
        backbone: recipe.backbone,
        dataset,
        files,
        control,
        dataThreads: job.dataThreads,
        onFeatures: (images, of) => send({ kind: 'features', images, of }),
      })
    : await runPhase(
        {
          recipe,
          network: architectureNetwork(recipe.architecture, glorotUniform(recipe.seed)),
          images: imagesOf(dataset, recipe, job.dataThreads),
          files,
        },
        control,
      );
}

/** Epochs from before a resume are written again, but not reported again. */
function historyWriter({ runFolder: folder, resume }: TrainingJob, send: Send): PhaseControl['onHistory'] {
  let told = resume ? undefined : 0;
  return async (history: readonly EpochRecord[]) => {
    told ??= history.length;
    if (history.length === told) return;
    await writeHistory(folder, history);
    send({ kind: 'checkpoint', epochs: history.slice(told) });
    told = history.length;
  };
}

async function readDataset(
  { datasetFolder, recipe, skipBad, dataThreads }: TrainingJob,
  send: Send,
  signal: AbortSignal,
): Promise<Dataset> {
  const dataset = await loadDataset(datasetFolder, {
    input: recipe.input,
    skipBad,
    signal,
    onProgress: (files, of) => send({ kind: 'decoded', files, of }),
  });
  if (dataset.skipped) send({ kind: 'skipped', bad: dataset.skipped });
  // In this function, so that no second copy stays in memory.
  const isShared = dataThreads > 0 && isAugmenting(recipe.augmentation);
  return isShared ? { ...dataset, train: sharePixels(dataset.train) } : dataset;
}

function checkDataset({ name, train, labels }: Dataset, recipe: Recipe): void {
  const { architecture, backbone, input } = recipe;
  const { channels, height, width } = backbone
    ? { ...input, channels: channelCount(input) }
    : architecture.input;
  const got = `${train.channels}x${train.height}x${train.width}`;
  const expected = `${channels}x${height}x${width}`;
  if (got !== expected) {
    throw new DatasetMismatchError(
      `${name}: ${backbone?.name ?? architecture.name} takes images of ${expected}, but the dataset has ${got}`,
    );
  }
  const last = classifierOf(architecture);
  const apart = last ? labelsOf(recipe, last.units) : labels.length;
  if (apart !== labels.length) {
    throw new DatasetMismatchError(
      `${name}: ${architecture.name} has ${apart} labels, but the dataset has ${labels.length}`,
    );
  }
}

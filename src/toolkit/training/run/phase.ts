// One phase of a run: a network and images → epochs, with a checkpoint after each. It resumes if a checkpoint exists.
import { exists } from '../../files.js';
import type { TrainingImages } from '../batches/training-images.js';
import { lossOf, type Recipe } from '../recipe/recipe.js';
import type { Network } from '../step/network.js';
import { optimiserOf } from '../step/optimisers.js';
import { tensorsToVector } from '../step/parameters.js';
import { createStepRunner, type StepState } from '../step/step-runner.js';
import { loadCheckpoint, saveCheckpoint } from './checkpoint.js';
import { type EpochsResult, runEpochs, type StepProgress, startOfRun } from './epochs.js';
import type { EpochRecord } from './history.js';

export interface Phase {
  readonly recipe: Recipe;
  readonly network: Network;
  readonly images: TrainingImages;
  /** The file of the checkpoint, and that of the best epoch. */
  readonly files: { readonly checkpoint: string; readonly best: string };
}

export interface PhaseControl {
  /** Whether to continue from the checkpoint, if there is one. */
  readonly resume: boolean;
  readonly threads: number;
  readonly block: number | undefined;
  /** The recipe of this phase. */
  readonly maxSteps?: number;
  readonly shouldStop: () => boolean;
  readonly onStep: (progress: StepProgress) => void;
  /** Called at the start and after each checkpoint. */
  readonly onHistory: (history: readonly EpochRecord[]) => Promise<void>;
}

export interface PhaseResult extends EpochsResult {
  /** The number of steps, including those before a resume. */
  readonly steps: number;
}

export async function runPhase(phase: Phase, control: PhaseControl): Promise<PhaseResult> {
  const { recipe, network, images, files } = phase;
  const optimiser = optimiserOf(recipe);
  const { layout } = network.parameters;
  const resumed =
    control.resume && (await exists(files.checkpoint))
      ? await loadCheckpoint(files.checkpoint, layout, optimiser.stateNames)
      : undefined;
  await control.onHistory(resumed?.history ?? []);
  const runner = await createStepRunner({
    network,
    optimiser,
    loss: lossOf(recipe),
    state: resumed?.state ?? initialState(network, optimiser.stateNames.length),
    threads: control.threads,
    seed: recipe.seed,
    block: control.block,
  });
  const result = await runEpochs({
    recipe,
    images,
    runner,
    start: resumed ?? startOfRun,
    ...(control.maxSteps !== undefined && { maxSteps: control.maxSteps }),
    shouldStop: control.shouldStop,
    onStep: control.onStep,
    async onCheckpoint(checkpoint, isBest) {
      // The best epoch is written first: after a crash in between, the epoch is repeated and writes the same file again.
      for (const file of isBest ? [files.best, files.checkpoint] : [files.checkpoint])
        await saveCheckpoint(file, checkpoint, layout, optimiser.stateNames);
      await control.onHistory(checkpoint.history);
    },
  });
  await runner.release();
  return { ...result, steps: runner.state().step };
}

function initialState({ parameters: { layout, tensors } }: Network, vectors: number): StepState {
  return {
    step: 0,
    parameters: tensorsToVector(layout, tensors, 'initial parameters'),
    optimiser: Array.from({ length: vectors }, () => new Float32Array(layout.length)),
  };
}

// What the training thread is told, and what it tells.
import type { BadImage } from '../../datasets/dataset.js';
import type { Recipe } from '../recipe/recipe.js';
import type { StepProgress } from './epochs.js';
import type { EpochRecord } from './history.js';
import type { PhaseResult } from './phase.js';

export interface TrainingJob {
  readonly recipe: Recipe;
  readonly datasetFolder: string;
  readonly runFolder: string;
  /** Go on from the run's checkpoint. */
  readonly resume: boolean;
  readonly threads: number;
  /** Standard ONNX operators only, though the machine has faster ones. */
  readonly portable: boolean;
  /** Threads that augment. */
  readonly dataThreads: number;
  /** Leave out the files of an image folder that are no images. */
  readonly skipBad: boolean;
  readonly maxSteps?: number;
}

export type WorkerMessage =
  /** Images of a folder, decoded. */
  | { readonly kind: 'decoded'; readonly files: number; readonly of: number }
  /** Images whose features were computed, each view of one counted. */
  | { readonly kind: 'features'; readonly images: number; readonly of: number }
  /** Files left out of a folder. */
  | { readonly kind: 'skipped'; readonly bad: readonly BadImage[] }
  | { readonly kind: 'step'; readonly progress: StepProgress }
  /** With the epochs that ended since the last one. */
  | { readonly kind: 'checkpoint'; readonly epochs: readonly EpochRecord[] }
  | ({ readonly kind: 'done' } & PhaseResult)
  | { readonly kind: 'failed'; readonly name: string; readonly message: string; readonly stack?: string };

// The messages to the training thread, and those from it.
import type { BadImage } from '../../datasets/dataset.js';
import type { Recipe } from '../recipe/recipe.js';
import type { StepProgress } from './epochs.js';
import type { EpochRecord } from './history.js';
import type { PhaseResult } from './phase.js';

export interface TrainingJob {
  readonly recipe: Recipe;
  readonly datasetFolder: string;
  readonly runFolder: string;
  /** Continue from the checkpoint of the run. */
  readonly resume: boolean;
  readonly threads: number;
  /** Use standard ONNX operators only, even if the machine has faster ones. */
  readonly portable: boolean;
  /** The number of threads that augment. */
  readonly dataThreads: number;
  /** Skip files of an image folder that are not images. */
  readonly skipBad: boolean;
  readonly maxSteps?: number;
}

export type ThreadMessage =
  /** The number of decoded images of a folder. */
  | { readonly kind: 'decoded'; readonly files: number; readonly of: number }
  /** The number of images whose features were computed. Each view counts. */
  | { readonly kind: 'features'; readonly images: number; readonly of: number }
  /** The skipped files of a folder. */
  | { readonly kind: 'skipped'; readonly bad: readonly BadImage[] }
  | { readonly kind: 'step'; readonly progress: StepProgress }
  /** The checkpoint, with the epochs that ended since the last one. */
  | { readonly kind: 'checkpoint'; readonly epochs: readonly EpochRecord[] }
  | ({ readonly kind: 'done' } & PhaseResult)
  | { readonly kind: 'failed'; readonly name: string; readonly message: string; readonly stack?: string };

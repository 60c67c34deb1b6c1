// The errors of training.
import { QuatiError } from '../../inference/errors.js';

/** The checkpoint is damaged, or belongs to another network or recipe. */
export class CheckpointError extends QuatiError {}

/** The dataset's images or labels do not fit the network. */
export class DatasetMismatchError extends QuatiError {}

/** The loss or a weight is no longer a finite number. The last checkpoint is from before that step. */
export class DivergedError extends QuatiError {}

/** The run's folder is in use, or holds no run to resume. */
export class RunError extends QuatiError {}

/** The training thread failed with an error of an unknown class. The message starts with the name of that class. */
export class TrainingError extends QuatiError {}

// What can go wrong between a recipe and trained weights.
import { QuatiError } from '../../inference/errors.js';

/** No recipe of that name, or a value in it that makes no sense. */
export class RecipeError extends QuatiError {}

/** A checkpoint is damaged, or belongs to another network or recipe. */
export class CheckpointError extends QuatiError {}

/** The dataset's images or labels do not fit the network. */
export class DatasetMismatchError extends QuatiError {}

/** The loss is no number any more; the last checkpoint is from before. */
export class DivergedError extends QuatiError {}

/** The run's folder is in use, or holds nothing to go on from. */
export class RunError extends QuatiError {}

/** The training thread failed; the message starts with the name of what it threw. */
export class TrainingError extends QuatiError {}

// What can go wrong between a recipe and trained weights.
import { QuatiError } from '../../inference/errors.js';
import {
  BadImagesError,
  DatasetDamagedError,
  DatasetMissingError,
  FolderError,
  NpyError,
} from '../datasets/errors.js';
import { GraphError, UnsupportedOperatorError } from '../graph/errors.js';
import { BackboneError } from './backbone/errors.js';

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

/** The training thread failed in a way nobody foresaw; the message starts with the name of what it threw. */
export class TrainingError extends QuatiError {}

const foreseen = [
  BackboneError,
  BadImagesError,
  CheckpointError,
  DatasetDamagedError,
  DatasetMismatchError,
  DatasetMissingError,
  DivergedError,
  FolderError,
  GraphError,
  NpyError,
  RecipeError,
  UnsupportedOperatorError,
];

/** What the training thread threw, as the error it was: between threads only its name and texts survive. */
export function fromThread(name: string, message: string, stack: string | undefined): Error {
  if (name === 'AbortError') return new DOMException(message, name);
  const Foreseen = foreseen.find((known) => known.name === name);
  return Foreseen
    ? new Foreseen(message, { cause: stack })
    : new TrainingError(`${name}: ${message}`, { cause: stack });
}

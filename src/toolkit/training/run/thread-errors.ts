// Name and message of an error in the training thread → the same error in the caller's thread.
import {
  BadImagesError,
  DatasetDamagedError,
  DatasetMissingError,
  FolderError,
  NpyError,
} from '../../datasets/errors.js';
import { RecipeError } from '../../errors.js';
import { GraphError, UnsupportedOperatorError } from '../../graph/errors.js';
import { BackboneError } from '../backbone/errors.js';
import { CheckpointError, DatasetMismatchError, DivergedError, TrainingError } from '../errors.js';

const known = [
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

/**
 * Rebuilds an error of the training thread: a message between threads keeps its name and texts, but not its class.
 * @returns a TrainingError if the class is not one of `known`.
 */
export function errorFromThread(name: string, message: string, stack: string | undefined): Error {
  if (name === 'AbortError') return new DOMException(message, name);
  const Known = known.find((type) => type.name === name);
  return Known
    ? new Known(message, { cause: stack })
    : new TrainingError(`${name}: ${message}`, { cause: stack });
}

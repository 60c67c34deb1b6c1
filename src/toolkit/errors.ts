// Errors that several folders of the toolkit throw.
import { QuatiError } from '../inference/errors.js';

/** No recipe has this name, or a value of a recipe is outside its range. */
export class RecipeError extends QuatiError {}

/** A file with one label per line cannot be read, or its labels cannot be used. */
export class LabelsFileError extends QuatiError {}

// What can go wrong between a run and its pictures.
import { QuatiError } from '../../inference/errors.js';

/** The run holds nothing that could be drawn, or it is damaged. */
export class PlotError extends QuatiError {}

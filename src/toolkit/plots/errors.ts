// Errors of plots.
import { QuatiError } from '../../inference/errors.js';

/** The run has no data to plot, or its data is damaged. */
export class PlotError extends QuatiError {}

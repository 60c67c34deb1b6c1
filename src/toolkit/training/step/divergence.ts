// a state with values that are not finite or too large → an error that names the layer.
import { elementCount } from '../../graph/graph.js';
import { DivergedError } from '../errors.js';
import type { ParameterEntry, ParameterLayout } from './step-graph.js';

/** Names the first tensor of `parameters` with a value that is not finite, else the one with the largest magnitude. */
export function diverged(
  what: string,
  { layout, parameters, step }: { layout: ParameterLayout; parameters: Float32Array; step: number },
): DivergedError {
  const grown = mostGrown(layout, parameters);
  const where = grown ? `: ${grown.entry.name} [${grown.entry.shape.join(', ')}] reaches ${grown.reach}` : '';
  return new DivergedError(`step ${step}: ${what}${where}; a lower learning rate may help`);
}

interface Grown {
  readonly entry: ParameterEntry;
  /** Its largest magnitude; NaN or Infinity if it has such a value. */
  readonly reach: number;
}

function mostGrown({ entries }: ParameterLayout, parameters: Float32Array): Grown | undefined {
  let offset = 0;
  let most: Grown | undefined;
  for (const entry of entries) {
    const end = offset + elementCount(entry.shape);
    const reach = reachOf(parameters.subarray(offset, end));
    offset = end;
    if (!Number.isFinite(reach)) return { entry, reach };
    if (reach > (most?.reach ?? 0)) most = { entry, reach };
  }
  return most;
}

function reachOf(values: Float32Array): number {
  let reach = 0;
  for (const value of values) {
    const magnitude = Math.abs(value);
    if (!Number.isFinite(magnitude)) return magnitude;
    if (magnitude > reach) reach = magnitude;
  }
  return reach;
}

// Where a run stands ⇄ checkpoint.safetensors: weights, optimiser, position, history.
import { readFile } from 'node:fs/promises';
import { writeFileAtomic } from '../files.js';
import type { TensorData } from '../graph/graph.js';
import { CheckpointError } from './errors.js';
import type { EpochRecord } from './history.js';
import { flatten, unflatten } from './parameters.js';
import { decodeSafetensors, encodeSafetensors } from './safetensors.js';
import type { TrainerState } from './trainer.js';
import type { ParameterLayout } from './training-graph.js';

/** The next batch to train on, and what the epoch's earlier ones added up to. Orders are drawn anew from seed and epoch. */
export interface Position {
  /** From 0 on; `epochs` when the run is finished. */
  readonly epoch: number;
  readonly batch: number;
  readonly lossSum: number;
  readonly correct: number;
  readonly seconds: number;
}

export interface Checkpoint {
  readonly state: TrainerState;
  readonly position: Position;
  readonly history: readonly EpochRecord[];
}

/** Parameters keep their own names; the optimiser's vectors are `<state>/<parameter>`. */
export async function saveCheckpoint(
  file: string,
  checkpoint: Checkpoint,
  layout: ParameterLayout,
  stateNames: readonly string[],
): Promise<void> {
  const { state, position, history } = checkpoint;
  const tensors = unflatten(layout, state.parameters);
  state.optimiser.forEach((vector, i) => {
    for (const [name, data] of unflatten(layout, vector)) tensors.set(`${stateNames[i]}/${name}`, data);
  });
  const metadata = {
    format: 'quati-checkpoint-1',
    step: String(state.step),
    position: JSON.stringify(position),
    history: JSON.stringify(history),
  };
  await writeFileAtomic(file, encodeSafetensors({ metadata, tensors }));
}

/** @throws CheckpointError when the file is damaged or belongs to another network. */
export async function loadCheckpoint(
  file: string,
  layout: ParameterLayout,
  stateNames: readonly string[],
): Promise<Checkpoint> {
  const { metadata, tensors } = decodeSafetensors(await readFile(file), file);
  if (metadata.format !== 'quati-checkpoint-1') {
    throw new CheckpointError(`${file}: expected the format quati-checkpoint-1, got ${metadata.format}`);
  }
  const optimiser = stateNames.map((state) =>
    flatten(layout, withoutPrefix(tensors, `${state}/`), `${file}: ${state}`),
  );
  return {
    state: { step: Number(metadata.step), parameters: flatten(layout, tensors, file), optimiser },
    position: JSON.parse(metadata.position ?? '') as Position,
    history: JSON.parse(metadata.history ?? '') as EpochRecord[],
  };
}

function withoutPrefix(tensors: ReadonlyMap<string, TensorData>, prefix: string): Map<string, TensorData> {
  return new Map(
    [...tensors].flatMap(([name, data]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), data] as const] : [],
    ),
  );
}

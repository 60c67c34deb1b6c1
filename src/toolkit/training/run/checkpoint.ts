// the state of a run ⇄ checkpoint.safetensors, best.safetensors: weights, optimiser, recipe, position, history.
import { readFile } from 'node:fs/promises';
import { Type } from '#typebox';
import { Compile } from '#typebox/compile';
import { writeFileAtomic } from '../../files.js';
import type { TensorData } from '../../graph/graph.js';
import { CheckpointError } from '../errors.js';
import type { Recipe } from '../recipe/recipe.js';
import { tensorsToVector, vectorToTensors } from '../step/parameters.js';
import type { ParameterLayout } from '../step/step-graph.js';
import type { StepState } from '../step/step-runner.js';
import type { EpochRecord } from './history.js';
import { decodeSafetensors, encodeSafetensors } from './safetensors.js';

/** The next batch to train on, and the sums over the earlier batches of the epoch. The order of images follows from seed and epoch. */
export interface Position {
  /** Starts at 0; equals `epochs` if the run is finished. */
  readonly epoch: number;
  readonly batch: number;
  readonly lossSum: number;
  readonly correct: number;
  readonly seconds: number;
}

export interface Checkpoint {
  /** The recipe. Random numbers and learning rates depend only on its seed, its schedule and the position. */
  readonly recipe: Recipe;
  readonly state: StepState;
  readonly position: Position;
  readonly history: readonly EpochRecord[];
}

/** Parameters keep their names. The vectors of the optimiser are named `<state>/<parameter>`. */
export async function saveCheckpoint(
  file: string,
  checkpoint: Checkpoint,
  layout: ParameterLayout,
  stateNames: readonly string[],
): Promise<void> {
  const { recipe, state, position, history } = checkpoint;
  const tensors = vectorToTensors(layout, state.parameters);
  state.optimiser.forEach((vector, i) => {
    for (const [name, data] of vectorToTensors(layout, vector)) tensors.set(`${stateNames[i]}/${name}`, data);
  });
  const metadata = {
    format: 'quati-checkpoint-1',
    recipe: JSON.stringify(recipe),
    step: String(state.step),
    position: JSON.stringify(position),
    history: JSON.stringify(history),
  };
  await writeFileAtomic(file, encodeSafetensors({ metadata, tensors }));
}

/** @throws CheckpointError if the file is missing, damaged or belongs to another network. */
export async function loadCheckpoint(
  file: string,
  layout: ParameterLayout,
  stateNames: readonly string[],
): Promise<Checkpoint> {
  const { metadata, tensors } = decodeSafetensors(await read(file), file);
  if (metadata.format !== 'quati-checkpoint-1') {
    throw new CheckpointError(`${file}: expected the format quati-checkpoint-1, got ${metadata.format}`);
  }
  const parameters = tensorsToVector(layout, tensors, file);
  const optimiser = stateNames.map((state) =>
    tensorsToVector(layout, withoutPrefix(tensors, `${state}/`), `${file}: ${state}`),
  );
  const stated = (name: keyof typeof shapes) => parseMetadata(metadata, name, file);
  return {
    recipe: stated('recipe') as Recipe,
    state: { step: stated('step') as number, parameters, optimiser },
    position: stated('position') as Position,
    history: stated('history') as EpochRecord[],
  };
}

const Count = Type.Integer({ minimum: 0 });
const shapes = {
  recipe: Compile(Type.Object({ name: Type.String(), seed: Type.Integer() })),
  step: Compile(Count),
  position: Compile(
    Type.Object({
      epoch: Count,
      batch: Count,
      lossSum: Type.Number(),
      correct: Count,
      seconds: Type.Number(),
    }),
  ),
  history: Compile(Type.Array(Type.Object({ epoch: Count, loss: Type.Number() }))),
};

function parseMetadata(
  metadata: Readonly<Record<string, string>>,
  name: keyof typeof shapes,
  file: string,
): unknown {
  try {
    const value: unknown = JSON.parse(metadata[name] ?? '');
    if (shapes[name].Check(value)) return value;
  } catch {
    // Not JSON: refused below, like JSON with another content.
  }
  throw new CheckpointError(`${file}: its ${name} is missing or damaged`);
}

async function read(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new CheckpointError(`${file}: cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function withoutPrefix(tensors: ReadonlyMap<string, TensorData>, prefix: string): Map<string, TensorData> {
  return new Map(
    [...tensors].flatMap(([name, data]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), data] as const] : [],
    ),
  );
}

// in a worker thread: the pixels of n images → tensor → session → n rows of scores.
import { workerData } from 'node:worker_threads';
import type { InputContract } from './card.js';
import { openSession, type Session } from './session.js';
import { createTensor, createTensorWriter, type TensorWriter, tensorLength } from './tensor.js';

/** What a worker opens at its start. */
export interface WorkerModel {
  key: string;
  /** Path of the variant's .onnx file. */
  file: string;
  input: InputContract;
}

export interface WorkerTask {
  key: string;
  count: number;
  /** count x height x width x channels, 0…255. */
  pixels: Uint8Array;
}

/** Scores are count rows. Errors travel as their text, as a class doesn't survive between threads. */
export type WorkerAnswer = { scores: Float32Array } | { error: string };

interface OpenModel {
  session: Session;
  input: InputContract;
  write: TensorWriter;
  length: number;
}

async function openModel({ file, input }: WorkerModel): Promise<OpenModel> {
  const session = await openSession(file, { input });
  return { session, input, write: createTensorWriter(input), length: tensorLength(input) };
}

async function runTask(
  { session, input, write, length }: OpenModel,
  task: WorkerTask,
): Promise<Float32Array> {
  const batch = createTensor(input, task.count);
  for (let offset = 0; offset < batch.length; offset += length)
    write(task.pixels.subarray(offset, offset + length), batch, offset);
  return await session.run(batch, task.count);
}

async function createHandler(models: WorkerModel[]): Promise<(task: WorkerTask) => Promise<WorkerAnswer>> {
  const open = new Map<string, OpenModel | Error>();
  for (const model of models)
    open.set(model.key, await openModel(model).catch((error: unknown) => error as Error));
  return async (task) => {
    const model = open.get(task.key) ?? new Error(`No model ${task.key} in this worker`);
    if (model instanceof Error) return { error: model.message };
    try {
      return { scores: await runTask(model, task) };
    } catch (error) {
      return { error: (error as Error).message };
    }
  };
}

// Piscina awaits a default export that is a promise before it gives a worker its first task.
export default createHandler(workerData as WorkerModel[]);

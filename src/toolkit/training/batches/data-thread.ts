// In a data thread: the chosen images of a batch → augmented tensors, handed over without a copy.
import { workerData } from 'node:worker_threads';
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { type BatchMakerOptions, createBatchMaker } from './batches.js';

export interface DataTask {
  readonly chosen: Uint32Array;
  readonly epoch: number;
}

const make = createBatchMaker(workerData as BatchMakerOptions);

export default ({ chosen, epoch }: DataTask): unknown => {
  const batch = make(chosen, epoch);
  return move({
    [valueSymbol]: batch,
    [transferableSymbol]: [batch.images.buffer, batch.labels.buffer],
  } as unknown as Parameters<typeof move>[0]);
};

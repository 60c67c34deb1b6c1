// A separate process: a MeasureTask on stdin → the median milliseconds of one image per file, as JSON on stdout.
import { json } from 'node:stream/consumers';
import type { InputContract } from '../image/contract.js';
import { createTensor, createTensorWriter, tensorLength } from '../image/tensor.js';
import { openSession } from '../workers/session.js';

export interface MeasureTask {
  input: InputContract;
  files: { sha256: string; file: string }[];
}

const [rounds, warmUpRounds, budgetMs] = [200, 10, 3000];

/** Runs every file in each round, so that other load affects all files equally. At least 20 rounds, then at most 3 s. */
async function measure({ input, files }: MeasureTask): Promise<Record<string, number>> {
  const open = await Promise.all(
    files.map(async ({ sha256, file }) => ({
      sha256,
      times: [] as number[],
      session: await openSession(file, { input }),
    })),
  );
  const tensor = createTensor(input, 1);
  createTensorWriter(input)(
    new Uint8Array(tensorLength(input)).map((_, i) => (i * 37) % 256),
    tensor,
    0,
  );
  const end = performance.now() + budgetMs;
  for (let round = 0; round < rounds + warmUpRounds; round++) {
    if (round >= 2 * warmUpRounds && performance.now() > end) break;
    for (const { session, times } of open) {
      const began = performance.now();
      await session.run(tensor, 1);
      if (round >= warmUpRounds) times.push(performance.now() - began);
    }
  }
  return Object.fromEntries(open.map(({ sha256, times }) => [sha256, median(times)]));
}

function median(times: number[]): number {
  return times.sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN;
}

try {
  process.stdout.write(JSON.stringify(await measure((await json(process.stdin)) as MeasureTask)));
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}

// models → the workers that hold them open, which end once nothing needs them any more.
import { VariantName } from '../models/card.js';
import { type StoredModel, withVariant } from '../models/repository.js';
import type { Pool } from './pool.js';
import type { RunnerModel } from './runner.js';

/** Where models run. */
export interface Home extends Pick<Pool, 'run'> {
  /** It does not end before `work` has. */
  use<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Ends the workers as soon as nothing uses them; resolves when they have ended. */
  retire(): Promise<void>;
}

export type StartPool = (models: RunnerModel[]) => Pool;

/** Resolves when every worker has opened the models, or none can be started. */
export async function openHome(stored: readonly StoredModel[], startPool: StartPool): Promise<Home> {
  const pool = startPool(runnerModels(stored));
  await pool.started();
  const quiet: (() => void)[] = [];
  let users = 0;
  return {
    run: pool.run,
    async use(work) {
      users++;
      try {
        return await work();
      } finally {
        users--;
        if (users === 0) for (const done of quiet.splice(0)) done();
      }
    },
    async retire() {
      if (users > 0) await new Promise<void>((done) => quiet.push(done));
      await pool.close();
    },
  };
}

/** Every variant; those that don't serve cost memory only once they are asked for. */
function runnerModels(stored: readonly StoredModel[]): RunnerModel[] {
  return stored.flatMap((served) =>
    VariantName.enum.flatMap((variant) => {
      const model = withVariant(served, variant);
      return model
        ? [{ key: model.key, file: model.file, input: model.card.input, onDemand: model !== served }]
        : [];
    }),
  );
}

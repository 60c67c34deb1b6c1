// A written version → an error if the server would not serve it.
import path from 'node:path';
import { VariantName } from '../../inference/models/card.js';
import { replayGolden } from '../../inference/models/golden.js';
import { readRepository, withVariant } from '../../inference/models/repository.js';
import { createRunner, type RunnerImage } from '../../inference/workers/runner.js';
import { PublishingError } from './errors.js';

/**
 * Reads the folder as the server does, opens each variant and replays the golden images on it.
 * @param folder holds the card.json. @param shown the name of the folder in errors.
 * @throws PublishingError with the reason why it would not be served.
 */
export async function replayVersion(folder: string, shown: string): Promise<void> {
  const fail = (problem: string) =>
    new PublishingError(`${problem.replaceAll(folder, shown)}: it was not published`);
  const { stored, failed } = await readRepository(folder);
  for (const { problem } of failed) throw fail(problem);
  for (const version of stored)
    for (const variant of VariantName.enum) {
      const model = withVariant(version, variant);
      if (!model) continue;
      const { key, file, card } = model;
      const runner = await createRunner(
        [{ key, file, input: card.input }],
        card.input.width * card.input.height,
      );
      const run = async (key: string, image: RunnerImage) => {
        const [result] = await runner.run(key, [image]);
        if (!result) throw new PublishingError(`${path.basename(file)} gave no result`);
        return result;
      };
      const failure = await replayGolden(model, { run });
      if (failure) throw fail(failure.problem);
    }
}

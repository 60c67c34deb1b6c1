// quati publish: a measured run to models/<name>/<version>/ and imgs/<name>/.
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { publish } from '../toolkit/publishing/publish.js';
import { latestRun, recordCommand } from '../toolkit/training/run.js';
import { commandLine, positiveInteger } from './command-line.js';
import type { CliIo } from './io.js';

interface PublishFlags {
  as: string;
  modelVersion?: number;
  replace?: boolean;
  models: string;
  imgs: string;
  json?: boolean;
}

export function publishCommand(io: CliIo): Command {
  return new Command('publish')
    .description('put a measured run into models/ with its card, and samples into imgs/')
    .argument('[run]', 'the folder of the run (default: the latest)')
    .requiredOption('--as <name>', 'the name of the model, as in POST /models/<name>/predict', modelName)
    .option('--model-version <n>', 'the version to write (default: the next one)', positiveInteger)
    .option('--replace', 'overwrite that version')
    .option('--models <folder>', 'where models are kept', 'models')
    .option('--imgs <folder>', 'where samples are kept', 'imgs')
    .option('--json', 'print the card as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ quati publish --as mnist\n  $ quati publish runs/mnist-cnn --as mnist --model-version 1 --replace',
    )
    .action((run: string | undefined, flags: PublishFlags) => runPublish(run, flags, io));
}

export async function runPublish(
  run: string | undefined,
  { as: name, modelVersion, replace, models, imgs, json }: PublishFlags,
  io: CliIo,
): Promise<void> {
  const chosen = run ?? (await latestRun());
  const command = commandLine();
  const { folder, card, samples } = await publish({
    run: chosen,
    name,
    command,
    modelsFolder: models,
    samplesFolder: imgs,
    ...(modelVersion !== undefined && { version: modelVersion }),
    ...(replace && { replace }),
  });
  await recordCommand(chosen, 'publish', command);
  const variants = Object.keys(card.variants).join(', ');
  io.stdout.write(
    json
      ? `${JSON.stringify({ folder, samples, card }, null, 2)}\n`
      : `${folder}: ${variants} (${card.defaultVariant} serves); ${samples.length} samples in ${path.join(imgs, name)}\n`,
  );
}

function modelName(text: string): string {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(text)) {
    throw new InvalidArgumentError('expected lower-case letters, digits and dashes');
  }
  return text;
}

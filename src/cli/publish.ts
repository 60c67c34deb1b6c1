// quati publish: a measured run, or any ONNX classifier → models/<name>/<version>/ and imgs/<name>/.
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { describeDataset, loadDataset } from '../toolkit/datasets/load.js';
import { exists } from '../toolkit/files.js';
import { type Published, type PublishOptions, publish } from '../toolkit/publishing/publish.js';
import { type PublishForeignOptions, publishForeign } from '../toolkit/publishing/publish-foreign.js';
import { latestRun, recordCommand, runFolder } from '../toolkit/training/run/run-folder.js';
import { commandLine, positiveInteger, toolVersion } from './command-line.js';
import { WrongUseError } from './errors.js';
import { addForeignFlags, type ForeignFlags, foreignOptions } from './foreign-flags.js';
import { givenInputFlags } from './input-flags.js';
import type { CliIo } from './io.js';

interface PublishFlags extends ForeignFlags {
  as: string;
  modelVersion?: number;
  replace?: boolean;
  models: string;
  imgs: string;
  data?: string;
  title?: string;
  drawn?: boolean;
  attribution?: string[];
  json?: boolean;
}

export function publishCommand(io: CliIo): Command {
  const command = new Command('publish')
    .description(
      'write a measured run, or any ONNX classifier, to models/ with its card, and its samples to imgs/',
    )
    .argument('[model]', 'the folder of the run (default: the latest), an ONNX file, or a folder of variants')
    .requiredOption('--as <name>', 'the name of the model in POST /models/<name>/predict', modelName)
    .option('--model-version <n>', 'the version to write (default: the next one)', positiveInteger)
    .option('--replace', 'overwrite that version')
    .option('--models <folder>', 'the folder for models', 'models')
    .option('--imgs <folder>', 'the folder for samples', 'imgs')
    .option('--drawn', 'draw the golden images; publish no image of the dataset')
    .option('--attribution <line...>', 'for its card: the authors of the work that it is based on')
    .option(
      '--data <folder>',
      'for a model.onnx: the prepared dataset that measures it and gives its samples',
    )
    .option('--title <text>', 'for a model.onnx: the title of its card (default: its name)')
    .option('--json', 'print the card as JSON');
  return addForeignFlags(command)
    .addHelpText('after', examples)
    .action((run: string | undefined, flags: PublishFlags) => runPublish(run, flags, io));
}

const examples = `
Examples:
  $ quati publish --as mnist
  $ quati publish runs/mnist-cnn --as mnist --model-version 1 --replace
  $ quati publish resnet.onnx --as pets --labels labels.txt --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225
  $ quati publish exported/ --as flowers --data data/flowers       float32.onnx and int8.onnx, measured`;

export async function runPublish(model: string | undefined, flags: PublishFlags, io: CliIo): Promise<void> {
  const { as: name, modelVersion, replace, models, imgs, drawn, attribution, json } = flags;
  const chosen = model ?? (await latestRun());
  const where = {
    name,
    command: commandLine(),
    modelsFolder: models,
    samplesFolder: imgs,
    ...(modelVersion !== undefined && { version: modelVersion }),
    ...(replace && { replace }),
    ...(drawn && { drawn }),
    ...(attribution && { attribution }),
  };
  const isRun = await exists(runFolder(chosen).record);
  const { folder, card, samples } = isRun
    ? await publishRun(chosen, where, flags)
    : await publishForeign({ ...where, model: chosen, tool: toolVersion(), ...describedBy(flags) });
  const variants = Object.keys(card.variants).join(', ');
  const shown = samples.length > 0 ? `; ${samples.length} samples in ${path.join(imgs, name)}` : '';
  io.stdout.write(
    json
      ? `${JSON.stringify({ folder, samples, card }, null, 2)}\n`
      : `${folder}: ${variants} (${card.defaultVariant} serves)${shown}\n`,
  );
}

async function publishRun(
  run: string,
  where: Omit<PublishOptions, 'run'>,
  flags: PublishFlags,
): Promise<Published> {
  const { labels, layout, output, data, title } = flags;
  const foreign = { ...flagsOfInput(flags), labels, layout, output, data, title };
  const [given] = Object.entries(foreign).flatMap(([flag, value]) => (value === undefined ? [] : [flag]));
  if (given !== undefined)
    throw new WrongUseError(`--${given} is for a model.onnx; ${run} is a run, which has its own value`);
  const published = await publish({ run, ...where });
  await recordCommand(run, 'publish', where.command);
  return published;
}

function flagsOfInput(flags: PublishFlags): Record<string, unknown> {
  return Object.fromEntries(givenInputFlags(flags).map((name) => [name, flags[name]]));
}

function describedBy(flags: PublishFlags): Pick<PublishForeignOptions, 'foreign' | 'title' | 'loadDataset'> {
  const { data, title } = flags;
  const foreign = foreignOptions(flags, async () => {
    if (data !== undefined) return (await describeDataset(data)).labels;
    throw new WrongUseError(
      'A model.onnx needs --labels <file>, with one label per line in the order of its output',
    );
  });
  return {
    foreign,
    ...(title !== undefined && { title }),
    ...(data !== undefined && { loadDataset: (target) => loadDataset(data, target) }),
  };
}

function modelName(text: string): string {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(text)) {
    throw new InvalidArgumentError('expected lower-case letters, digits and dashes');
  }
  return text;
}

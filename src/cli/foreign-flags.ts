// The flags for a model.onnx without a run or card → its labels, layout, output and input contract.
import { type Command, Option } from 'commander';
import type { InputContract } from '../inference/image/contract.js';
import type { Card } from '../inference/models/card.js';
import { LabelsFileError } from '../toolkit/errors.js';
import type { ForeignShape } from '../toolkit/evaluation/foreign.js';
import type { ForeignOptions } from '../toolkit/evaluation/targets.js';
import { readLabelsFile } from '../toolkit/labels-file.js';
import { WrongUseError } from './errors.js';
import { addInputFlags, type InputFlags, inputContract } from './input-flags.js';

export interface ForeignFlags extends InputFlags {
  labels?: string;
  layout?: 'nchw' | 'nhwc';
  output?: Card['output'];
}

export function addForeignFlags(command: Command): Command {
  return addInputFlags(command)
    .optionsGroup('What a model.onnx means (a run says it by itself):')
    .option('--labels <file>', 'a text file with one label per line, in the order of the output')
    .addOption(
      new Option('--layout <kind>', 'the axis of the channels, if sizes of 1 or 3 do not show it').choices([
        'nchw',
        'nhwc',
      ]),
    )
    .addOption(
      new Option(
        '--output <kind>',
        'what the output holds (default: detected from the scores of black, white and noise images)',
      ).choices(['softmax', 'sigmoid', 'probabilities']),
    )
    .optionsGroup('Options:');
}

/** @param otherLabels the labels if --labels is not given. */
export function foreignOptions(
  flags: ForeignFlags,
  otherLabels: () => Promise<readonly string[]>,
): ForeignOptions {
  const { labels: file, layout, output } = flags;
  return {
    labels: () => (file === undefined ? otherLabels() : readLabels(file)),
    contract: (shape, model) => foreignContract(flags, shape, model),
    ...(layout && { layout }),
    ...(output && { output }),
  };
}

/** The model receives bytes unchanged, so flags must not scale them. */
function foreignContract(flags: InputFlags, shape: ForeignShape, model: string): InputContract {
  const { layout, dataType } = shape;
  if (dataType === 'uint8' && (flags.scale ?? flags.mean ?? flags.std) !== undefined)
    throw new WrongUseError(`${model}: takes bytes unchanged: --scale, --mean and --std do not apply`);
  const scale = dataType === 'uint8' ? 1 : flags.scale;
  const contract = inputContract({ ...flags, ...(scale !== undefined && { scale }) }, shape, model);
  return {
    ...contract,
    ...(layout === 'nhwc' && { layout }),
    ...(dataType === 'uint8' && { dataType }),
  };
}

/** @throws WrongUseError when the file cannot be read or holds no labels. */
async function readLabels(file: string): Promise<string[]> {
  try {
    return await readLabelsFile(file);
  } catch (cause) {
    if (!(cause instanceof LabelsFileError)) throw cause;
    throw new WrongUseError(`--labels ${cause.message}`, { cause });
  }
}

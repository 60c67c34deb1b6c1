// Flags for a model.onnx without a run or a card → what its file does not state.
import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import type { InputContract } from '../inference/image/contract.js';
import type { Card } from '../inference/models/card.js';
import type { ForeignShape } from '../toolkit/evaluation/foreign.js';
import type { ForeignOptions } from '../toolkit/evaluation/targets.js';
import { WrongUseError } from './errors.js';
import { addInputFlags, type InputFlags, inputContract } from './input-flags.js';

export interface ForeignFlags extends InputFlags {
  labels?: string;
  layout?: 'nchw' | 'nhwc';
  output?: Card['output'];
}

export function addForeignFlags(command: Command): Command {
  return addInputFlags(command)
    .optionsGroup('Labels and output of a model.onnx (a run states them):')
    .option('--labels <file>', 'text file with one label per line, in the order of the output')
    .addOption(
      new Option('--layout <kind>', 'layout of the input, if its sizes do not show it').choices([
        'nchw',
        'nhwc',
      ]),
    )
    .addOption(
      new Option(
        '--output <kind>',
        'kind of the scores (default: tested with black, white and noise)',
      ).choices(['softmax', 'sigmoid', 'probabilities']),
    )
    .optionsGroup('Options:');
}

/** Returns the options. @param otherLabels returns the labels if --labels is missing. */
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

/** Returns the input contract. A model with uint8 input takes pixels unchanged, so flags cannot scale them. */
function foreignContract(flags: InputFlags, shape: ForeignShape, model: string): InputContract {
  const { layout, dataType } = shape;
  if (dataType === 'uint8' && (flags.scale ?? flags.mean ?? flags.std) !== undefined)
    throw new WrongUseError(`${model}: takes uint8 pixels unchanged: remove --scale, --mean and --std`);
  const scale = dataType === 'uint8' ? 1 : flags.scale;
  const contract = inputContract({ ...flags, ...(scale !== undefined && { scale }) }, shape, model);
  return {
    ...contract,
    ...(layout === 'nhwc' && { layout }),
    ...(dataType === 'uint8' && { dataType }),
  };
}

/** Reads labels, one per line. @throws WrongUseError if the file cannot be read, has an empty line, or fewer than 2 labels. */
async function readLabels(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw new WrongUseError(`--labels ${file}: cannot be read: ${cause.message}`, { cause });
  });
  const labels = text
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.trim());
  const empty = labels.indexOf('');
  if (empty >= 0) throw new WrongUseError(`--labels ${file}: line ${empty + 1} is empty`);
  if (labels.length < 2) throw new WrongUseError(`--labels ${file}: expected at least 2 lines, got 1`);
  return labels;
}

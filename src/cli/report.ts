// quati report: measured runs → tables and plots in docs/results/<dataset>/<recipe>/.
import { Command } from 'commander';
import { loadDataset } from '../toolkit/datasets/load.js';
import { writeResults } from '../toolkit/plots/results.js';
import { latestRun, readRun } from '../toolkit/training/run/run-folder.js';
import type { CliIo } from './io.js';

interface ReportFlags {
  out: string;
  data?: string;
  json?: boolean;
}

export function reportCommand(io: CliIo): Command {
  return new Command('report')
    .description('write a table of measured runs, plots of their epochs, and a grid of their predictions')
    .argument('[runs...]', 'the folders of the runs (default: the latest)')
    .option('--out <folder>', 'the folder for <dataset>/<recipe>/', 'docs/results')
    .option('--data <folder>', 'the prepared dataset (default: the one of the run)')
    .option('--json', 'print the files written as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ quati report\n  $ quati report runs/mnist-simple runs/mnist-deeper --out docs/results',
    )
    .action((runs: string[], flags: ReportFlags) => runReport(runs, flags, io));
}

export async function runReport(runs: readonly string[], flags: ReportFlags, io: CliIo): Promise<void> {
  const chosen = runs.length > 0 ? runs : [await latestRun()];
  const written: string[] = [];
  for (const run of chosen) {
    const { dataset } = await readRun(run);
    written.push(...(await writeResults(run, await loadDataset(flags.data ?? dataset.folder), flags.out)));
  }
  io.stdout.write(flags.json ? `${JSON.stringify(written, null, 2)}\n` : `${written.join('\n')}\n`);
}

// quati models: the models in models/ → a list, after the same checks as at a server's startup.
import { Command } from 'commander';
import { openModels } from '../inference/models/live-models.js';
import { readRepository } from '../inference/models/repository.js';
import type { ModelStatus } from '../inference/models/status.js';
import { createPool } from '../inference/workers/pool.js';
import { CommandFailedError } from './errors.js';
import type { CliIo } from './io.js';
import { formatTable } from './table.js';

export function modelsCommand(io: CliIo): Command {
  return new Command('models')
    .description('list the models of a folder, and check files and golden images like a server does')
    .argument('[folder]', 'the folder with <name>/<version>/card.json', 'models')
    .option('--json', 'print the list as JSON')
    .addHelpText(
      'after',
      '\nExit code 1 when one of them could not serve.\n\nExamples:\n  $ quati models\n  $ quati models /srv/models --json',
    )
    .action((folder: string, flags: { json?: boolean }) => runModels(folder, flags, io));
}

export async function runModels(folder: string, { json }: { json?: boolean }, io: CliIo): Promise<void> {
  const models = await openModels({
    read: () => readRepository(folder),
    startPool: (models, onFree) => createPool({ models, threads: 1, onFree }),
  });
  const { status, passedOver } = models;
  await models.close();
  io.stdout.write(json ? `${JSON.stringify(status, null, 2)}\n` : describe(folder, status));
  if (passedOver.length > 0) io.stderr.write(`${passedOver.join('\n')}\n`);
  const broken = status.filter(({ ready }) => !ready);
  if (broken.length > 0)
    throw new CommandFailedError(
      `${broken.length} of ${status.length} cannot serve: ${broken.map(({ problem }) => problem).join('; ')}`,
    );
}

function describe(folder: string, status: readonly ModelStatus[]): string {
  if (status.length === 0) return `There are no models in ${folder}\n`;
  const rows = status.flatMap(({ name, version, variant: serving, ready, card }) => {
    if (!card) return [[`${name} ${version}`, '', '', '', 'not ready']];
    return Object.entries(card.variants).map(([variant, { bytes, accuracy }]) => [
      `${name} ${version}`,
      variant,
      String(bytes),
      accuracy === undefined ? '' : `${(100 * accuracy).toFixed(2)} %`,
      ready ? (variant === serving ? 'serves' : 'ready') : 'not ready',
    ]);
  });
  return formatTable([['model', 'variant', 'bytes', 'accuracy', ''], ...rows]);
}

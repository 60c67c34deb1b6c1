// quati serve: the HTTP service on this machine.
import { Command } from 'commander';

export function serveCommand(): Command {
  return new Command('serve')
    .description('serve the models of models/ over HTTP')
    .addHelpText(
      'after',
      '\nExample:\n  $ quati serve\n  $ QUATI_PORT=9000 QUATI_VARIANT=float32 quati serve',
    )
    .action(async () => {
      throw new Error('not built yet');
    });
}

// quati serve: the HTTP service on this machine.
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import type { ModelStatus } from '../inference/models/status.js';
import { checkPlatform } from '../inference/workers/platform.js';
import { WrongUseError } from './errors.js';
import type { CliIo } from './io.js';

export function serveCommand(io: CliIo): Command {
  return new Command('serve')
    .description(
      'serve the models of models/ over HTTP; settings are environment variables (docs/configuration.md)',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ quati serve\n  $ QUATI_PORT=9000 QUATI_VARIANT=float32 quati serve\n  $ QUATI_HOST=0.0.0.0 quati serve',
    )
    .action(() => runServe(io));
}

async function runServe(io: CliIo): Promise<void> {
  checkPlatform();
  const { ConfigError, readConfig } = await import('../service/config.js');
  const { runServer } = await import('../service/server.js');
  outliveReader(io);
  try {
    const config = readConfig(await withOwnModels(process.env));
    await runServer(config, ({ url, app }) => {
      io.stdout.write(describeServer(url, config.models, app.pipeline.models()));
    });
  } catch (error) {
    if (error instanceof ConfigError) throw new WrongUseError(error.message, { cause: error });
    throw error;
  }
}

/** A closed output pipe ends other commands; the service keeps serving. */
function outliveReader({ stdout }: CliIo): void {
  stdout.removeAllListeners('error');
  stdout.on('error', () => {});
}

/** Serves the package's own models if neither a setting nor the current folder has models. */
async function withOwnModels(env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  const here = await stat('models').catch(() => undefined);
  if (env.QUATI_MODELS || here?.isDirectory()) return env;
  return { ...env, QUATI_MODELS: fileURLToPath(new URL('../../models', import.meta.url)) };
}

/** Prints one line per model, then the server's address. */
export function describeServer(url: string, folder: string, models: readonly ModelStatus[]): string {
  const lines = models.map((model) => {
    const name = `${model.name} version ${model.version}`;
    return model.ready ? `${name}: ready, ${model.variantReason}` : `${name}: not ready: ${model.problem}`;
  });
  if (lines.length === 0) lines.push(`There are no models in ${folder}`);
  return [...lines, `Quati listens on ${url} (its pages: ${url}/docs)`, ''].join('\n');
}

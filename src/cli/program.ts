// argv → one command, loaded when it is asked for → exit code: 0 ok, 1 failed, 2 wrong use, 130 interrupted.
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { Command, CommanderError } from 'commander';
import { QuatiError } from '../inference/errors.js';
import { WrongUseError } from './errors.js';
import type { CliIo } from './io.js';

interface CommandEntry {
  /** One line for `quati --help`. */
  summary: string;
  load: () => Promise<(io: CliIo) => Command>;
}

/** In the order of use. A command's module, and what that imports, is loaded for that command only. */
const commands: Record<string, CommandEntry> = {
  dataset: {
    summary: 'prepare a dataset to train on',
    load: async () => (await import('./dataset.js')).datasetCommand,
  },
  serve: {
    summary: 'serve the models of models/ over HTTP',
    load: async () => (await import('./serve.js')).serveCommand,
  },
};

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** @param argv what follows `quati`. */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  const verbose = argv.includes('--verbose') || Boolean(process.env.DEBUG);
  const asked = argv.filter((arg) => !arg.startsWith('-') && arg !== 'help')[0];
  try {
    const program = await buildProgram(asked, io);
    await program.parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (error) {
    return report(error, { io, verbose, asked });
  }
}

async function buildProgram(asked: string | undefined, io: CliIo): Promise<Command> {
  const program = new Command('quati')
    .description('Image classifiers from dataset to HTTP: train, quantise, measure, serve.')
    .version(version)
    .option('--verbose', 'print the stack of an error (or set DEBUG)')
    .showHelpAfterError('(add --help for the options and examples)')
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) })
    .exitOverride();
  for (const [name, { summary, load }] of Object.entries(commands)) {
    const command = name === asked ? (await load())(io) : new Command(name).description(summary);
    program.addCommand(inheritSettings(command.summary(summary), program));
  }
  return program;
}

function inheritSettings(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inheritSettings(child, command);
  return command;
}

interface ReportContext {
  io: CliIo;
  verbose: boolean;
  asked: string | undefined;
}

function report(error: unknown, { io, verbose, asked }: ReportContext): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof Error && error.name === 'AbortError') {
    io.stderr.write('interrupted\n');
    return 130;
  }
  const missing = missingPackage(error);
  const expected = error instanceof QuatiError || missing !== undefined;
  if (verbose || !expected) io.stderr.write(`${inspect(error)}\n`);
  else if (missing === undefined) io.stderr.write(`error: ${(error as QuatiError).message}\n`);
  if (missing !== undefined)
    io.stderr.write(
      `error: quati ${asked ?? ''} needs the package ${missing}, which an installation for serving leaves out. ` +
        'In the project, run: npm install --include=dev\n',
    );
  return error instanceof WrongUseError ? 2 : 1;
}

function missingPackage(error: unknown): string | undefined {
  if (!(error instanceof Error) || (error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND')
    return undefined;
  return /Cannot find package '([^']+)'/.exec(error.message)?.[1];
}

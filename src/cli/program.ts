// argv → one command, loaded on demand → exit code: 0 ok, 1 failed, 2 wrong use, 130 interrupted.
import { Command } from 'commander';
import { version } from './command-line.js';
import type { CliIo } from './io.js';
import { reportError } from './report-error.js';

interface CommandEntry {
  /** One line for `quati --help`. */
  summary: string;
  load: () => Promise<(io: CliIo) => Command>;
}

/** The commands in the order of use. The module of a command, with its imports, is loaded for that command only. */
const commands: Record<string, CommandEntry> = {
  dataset: {
    summary: 'prepare a dataset to train on',
    load: async () => (await import('./dataset.js')).datasetCommand,
  },
  augment: {
    summary: 'draw the training images of a recipe',
    load: async () => (await import('./augment.js')).augmentCommand,
  },
  train: {
    summary: 'train a network by a recipe',
    load: async () => (await import('./train.js')).trainCommand,
  },
  sweep: {
    summary: 'train a binarised network in every way, and compare',
    load: async () => (await import('./sweep.js')).sweepCommand,
  },
  quantise: {
    summary: 'write the int8 and float16 variants of a run or a model.onnx',
    load: async () => (await import('./quantise.js')).quantiseCommand,
  },
  evaluate: {
    summary: 'measure accuracy, size and latency of variants',
    load: async () => (await import('./evaluate.js')).evaluateCommand,
  },
  choose: {
    summary: 'name the measured variant that meets limits',
    load: async () => (await import('./choose.js')).chooseCommand,
  },
  report: {
    summary: 'write tables and plots of measured runs',
    load: async () => (await import('./report.js')).reportCommand,
  },
  publish: {
    summary: 'write a run to models/ with its card and samples',
    load: async () => (await import('./publish.js')).publishCommand,
  },
  models: {
    summary: 'list and check the models of a folder',
    load: async () => (await import('./models.js')).modelsCommand,
  },
  serve: {
    summary: 'serve the models of models/ over HTTP',
    load: async () => (await import('./serve.js')).serveCommand,
  },
  predict: {
    summary: 'post images to a running server',
    load: async () => (await import('./predict.js')).predictCommand,
  },
  bench: {
    summary: 'send images to a running server, and report latencies, errors and accuracy',
    load: async () => (await import('./bench.js')).benchCommand,
  },
};

/** @param argv the arguments after `quati`. */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  const verbose = argv.includes('--verbose') || Boolean(process.env.DEBUG);
  const asked = argv.filter((arg) => !arg.startsWith('-') && arg !== 'help')[0];
  try {
    const program = await buildProgram(asked, io);
    await program.parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (error) {
    return reportError(error, { io, verbose, asked });
  }
}

/** Does the same as runCli, but does not start the command. Returns 0, or 2 for wrong use. */
export async function checkCommandLine(argv: readonly string[], io: CliIo): Promise<number> {
  const asked = argv.find((arg) => !arg.startsWith('-'));
  try {
    const program = await buildProgram(asked, io);
    await withoutActions(program).parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (error) {
    return reportError(error, { io, verbose: false, asked });
  }
}

/** A command with subcommands still requires one of them. */
function withoutActions(command: Command): Command {
  if (command.commands.length === 0) command.action(() => undefined);
  for (const child of command.commands) withoutActions(child);
  return command;
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

// argv → one command, loaded when it is asked for → exit code: 0 ok, 1 failed, 2 wrong use, 130 interrupted.
import { Command } from 'commander';
import { version } from './command-line.js';
import type { CliIo } from './io.js';
import { reportError } from './report-error.js';

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
  augment: {
    summary: 'draw what a recipe trains on',
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
    summary: 'name the measured variant that keeps limits',
    load: async () => (await import('./choose.js')).chooseCommand,
  },
  report: {
    summary: 'write tables and pictures of measured runs',
    load: async () => (await import('./report.js')).reportCommand,
  },
  publish: {
    summary: 'put a run into models/ with its card and samples',
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
    summary: 'load a running server, and tell latencies, errors and accuracy',
    load: async () => (await import('./bench.js')).benchCommand,
  },
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
    return reportError(error, { io, verbose, asked });
  }
}

/** What runCli does up to where the command would start: 0, or 2 for wrong use. */
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

/** A command that has commands of its own keeps asking for one of them. */
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

#!/usr/bin/env node
// argv → one command → exit code: 0 ok, 1 failed, 2 wrong use.
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { QuatiError } from '../inference/errors.js';
import { serveCommand } from './serve.js';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

function buildProgram(): Command {
  const program = new Command('quati')
    .description('Image classifiers from dataset to HTTP: train, quantise, measure, serve.')
    .version(version)
    .showHelpAfterError()
    .exitOverride();
  for (const command of [serveCommand()]) program.addCommand(inheritSettings(command, program));
  return program;
}

function inheritSettings(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inheritSettings(child, command);
  return command;
}

try {
  await buildProgram().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else if (error instanceof QuatiError) {
    console.error(`${error.name}: ${error.message}`);
    process.exitCode = 1;
  } else {
    console.error(error);
    process.exitCode = 1;
  }
}

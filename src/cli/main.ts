#!/usr/bin/env node
// The process's argv, streams and exit code around runCli.
import { processIo } from './io.js';
import { runCli } from './program.js';

// `quati … | head` closes the pipe early: that ends the command, it is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

process.exitCode = await runCli(process.argv.slice(2), processIo());

#!/usr/bin/env node
// The process's argv, streams and exit code around runCli.
import nodeModule from 'node:module';
import { processIo } from './io.js';

// `quati … | head` closes the pipe early: that ends the command, without an error. `quati serve` replaces this.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

// From Node 22.1 on: what was compiled once is kept in the folder for temporary files, and later starts are a third shorter.
const { enableCompileCache } = nodeModule as { enableCompileCache?: () => unknown };
enableCompileCache?.();

const { runCli } = await import('./program.js');
process.exitCode = await runCli(process.argv.slice(2), processIo());

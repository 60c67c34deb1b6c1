// A command made for a test + what is typed after its name → exit code and output, as runCli gives them.
import type { Command } from 'commander';
import type { CliIo } from '../../src/cli/io.js';
import { reportError } from '../../src/cli/report-error.js';
import { fakeIo } from './fake-io.js';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** @param make may replace what a test cannot wait for. */
export async function runCommand(make: (io: CliIo) => Command, argv: readonly string[]): Promise<Ran> {
  const io = fakeIo();
  const command = make(io)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    });
  const code = await command.parseAsync([...argv], { from: 'user' }).then(
    () => 0,
    (error: unknown) => reportError(error, { io, verbose: false, asked: command.name() }),
  );
  return { code, out: io.out(), err: io.err() };
}

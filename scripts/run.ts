// A command → its output, or an error with its output.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** This machine does not have what the check needs, so the check has no result. */
export class UnavailableError extends Error {}

/**
 * @returns standard output.
 * @throws Error with the end of both outputs, if the command exits with another code than 0 or cannot be started.
 */
export async function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string } = {},
): Promise<string> {
  const { stdout } = await execute(command, args, { ...options, maxBuffer: 2 ** 28 }).catch(
    (cause: unknown) => {
      const { code, signal, stdout, stderr } = cause as Partial<Record<string, string>>;
      const printed = `${stdout?.slice(-2000) ?? ''}${stderr?.slice(-4000) ?? ''}`;
      throw new Error(`${command} ${args.join(' ')}: exit code ${code ?? signal}\n${printed}`, { cause });
    },
  );
  return stdout;
}

// A command → its output, or an error with what it printed; and what verifying an image needs of the machine.
import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** What an image is made from cannot be had: that says nothing about the image. */
export class UnavailableError extends Error {}

/**
 * @returns standard output.
 * @throws Error with the end of both outputs when the command fails or cannot be started.
 */
export function run(
  command: string,
  args: readonly string[],
  options: Pick<SpawnSyncOptions, 'cwd'> = {},
): string {
  const result = spawnSync(command, args, { ...options, encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (result.error) throw new Error(`${command}: ${result.error.message}`, { cause: result.error });
  if (result.status !== 0)
    throw new Error(
      `${command} ${args.join(' ')}: exit code ${result.status ?? result.signal}\n` +
        `${result.stdout.slice(-2000)}${result.stderr.slice(-4000)}`,
    );
  return result.stdout;
}

export const qemu = '/usr/bin/qemu-aarch64-static';

/** Debian's package → a program of it. */
const needed = {
  buildah: '/usr/bin/buildah',
  debootstrap: '/usr/sbin/debootstrap',
  'qemu-user-static': qemu,
};

/** Why an image cannot be verified here; undefined if it can. */
export function whatIsMissing(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return `Linux on x64 is needed, this is ${process.platform} on ${process.arch}`;
  if (process.getuid?.() !== 0)
    return 'root is needed, to build and to change the root folder: sudo npm run verify:image';
  const missing = Object.entries(needed).flatMap(([name, file]) => (existsSync(file) ? [] : [name]));
  if (missing.length > 0) return `missing: apt-get install --no-install-recommends ${missing.join(' ')}`;
  const { status, stderr } = spawnSync('/usr/bin/unshare', ['--mount', 'true'], { encoding: 'utf8' });
  if (status !== 0) return `nothing can be mounted here, as in most containers: ${stderr.trim()}`;
  return undefined;
}

// The tools that the verification of an image needs.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** The names of the platforms in Debian and Docker. */
export type Arch = 'amd64' | 'arm64';

/** Runs a command of buildah. @returns its standard output, trimmed. */
export type Buildah = (command: string, ...args: string[]) => Promise<string>;

export const qemu = '/usr/bin/qemu-aarch64-static';

/** Debian's package → a program of it. */
const needed = {
  buildah: '/usr/bin/buildah',
  debootstrap: '/usr/sbin/debootstrap',
  'qemu-user-static': qemu,
};

/** The reason why this machine cannot verify an image; undefined if it can. */
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

// a command → its output, or an error that tells what it printed; and what verifying the unit needs of the machine.
import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const systemd = '/lib/systemd/systemd';

/** The machine can't be had here: that tells nothing of the unit. */
export class UnavailableError extends Error {}

/**
 * @returns standard output
 * @throws Error with the end of both outputs, for an exit code other than 0
 */
export async function run(command: string, args: readonly string[]): Promise<string> {
  const { stdout } = await execute(command, args, { maxBuffer: 2 ** 26 }).catch((cause: unknown) => {
    const { code, stdout, stderr } = cause as { code?: number | string; stdout?: string; stderr?: string };
    const printed = `${stdout?.slice(-2000) ?? ''}${stderr?.slice(-4000) ?? ''}`;
    throw new Error(`${command} ${args.join(' ')}: exit code ${code}\n${printed}`, { cause });
  });
  return stdout;
}

/** Why the unit can't be verified here; undefined where it can. */
export function whatIsMissing(): string | undefined {
  if (process.platform !== 'linux') return `Linux is needed, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'root is needed, to make namespaces: sudo npm run verify:unit';
  if (!existsSync(systemd)) return 'missing: apt-get install --no-install-recommends systemd';
  const namespaces = ['--fork', '--pid', '--mount', '--uts', '--ipc', '--net', '--cgroup'];
  const { status, stderr, error } = spawnSync(
    'unshare',
    [...namespaces, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'],
    {
      encoding: 'utf8',
    },
  );
  if (status !== 0)
    return `no namespaces can be made here, as in most containers: ${error?.message ?? stderr.trim()}`;
  return undefined;
}

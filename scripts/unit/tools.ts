// The tools that the verification of the unit needs.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const systemd = '/lib/systemd/systemd';

/** The reason why this machine cannot verify the unit; undefined if it can. */
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

// The machine and the control group the process runs in → how many processors it may keep busy.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

/**
 * Processors that the scheduler offers, but no more than the control group's quota, rounded up: a container with half a
 * processor of eight gets one worker, not eight. libuv looks at the quota from 1.49 on only, which Node 20 does not have.
 * @param root where /sys and /proc are.
 */
export function countCpus(root = '/', processors = availableParallelism()): number {
  const quotas = groupFolders(root).map(readQuota);
  return Math.max(1, Math.min(processors, ...quotas.map(Math.ceil)));
}

/** The process's own group and those above it, of both versions of cgroups; in a container its own is the root of the tree. */
function groupFolders(root: string): string[] {
  const lines = readText(join(root, 'proc/self/cgroup')).split('\n');
  return lines.flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) return [];
    if (controllers !== '' && !controllers.split(',').includes('cpu')) return [];
    const mount = join(root, 'sys/fs/cgroup', controllers === '' ? '' : 'cpu');
    const names = path.split('/').filter(Boolean);
    return [...names.map((_, i) => join(mount, ...names.slice(0, i + 1))), mount];
  });
}

/** In processors. */
function readQuota(folder: string): number {
  const [quota = '', period = ''] = readText(join(folder, 'cpu.max')).split(/\s+/);
  const [oldQuota, oldPeriod] = ['quota', 'period'].map((part) =>
    readText(join(folder, `cpu.cfs_${part}_us`)),
  );
  const share = Number(quota || oldQuota) / Number(period || oldPeriod);
  return share > 0 ? share : Number.POSITIVE_INFINITY;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}

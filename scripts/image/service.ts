// An image's root folder → its service in a chroot, with the image's user, command and environment and a read-only root file system.
// qemu runs the instructions of the other platform.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type RunningServer, startServer } from '../../bench/serve/processes.js';
import type { Image } from './build.js';
import { cpuinfo } from './cpuinfo.js';
import { qemu } from './tools.js';

export interface RunnerOptions {
  /** The processor that qemu shows, for `-cpu`; without it the image runs directly. */
  cpu?: string;
  /** The file of a control group for the process's id. */
  group?: string;
}

export interface Runner {
  /** Runs the image's command, and waits until the service is ready. */
  start(port: number): Promise<RunningServer>;
  /** Runs the image's health check. @returns its exit code. */
  checkHealth(port: number): number | null;
  remove(): void;
}

/** An emulated startup on a busy machine takes minutes. */
const startTimeoutMs = 600_000;

/**
 * Mounts the root in a separate namespace, like a container. qemu and its /proc/cpuinfo, which ONNX Runtime reads, are in /tmp, so
 * that the image stays unchanged.
 */
const enter = `
  set -e
  root=$1; tools=$2; group=$3; shift 3
  mount --bind "$root" "$root"
  mount -o remount,bind,ro "$root"
  mount -t tmpfs tmpfs "$root/tmp"
  cp -r "$tools/." "$root/tmp/"
  mount --rbind /proc "$root/proc"
  if [ -f "$tools/cpuinfo" ]; then mount --bind "$root/tmp/cpuinfo" "$root/proc/cpuinfo"; fi
  for file in null zero random urandom; do mount --bind "/dev/$file" "$root/dev/$file"; done
  if [ -n "$group" ]; then echo $$ > "$group"; fi
  exec "$@"
`;

export function createRunner({ root, config }: Image, { cpu, group = '' }: RunnerOptions = {}): Runner {
  const tools = mkdtempSync(path.join(tmpdir(), 'quati-image-'));
  const emulator = cpu === undefined ? [] : ['/tmp/qemu', '-cpu', cpu];
  if (cpu !== undefined) {
    cpSync(qemu, path.join(tools, 'qemu'));
    writeFileSync(path.join(tools, 'cpuinfo'), cpuinfo(cpu));
  }

  /** Runs a command as the image's user. Its first word is a program of /usr/local/bin. */
  function command([program = '', ...args]: readonly string[], env: Record<string, string>) {
    const variables = [...config.Env, ...Object.entries(env).map(([key, value]) => `${key}=${value}`)];
    return {
      command: '/usr/bin/unshare',
      args: [
        ...['--mount', '--propagation', 'private', '/bin/sh', '-c', enter, 'enter', root, tools, group],
        ...['/usr/bin/env', '-i', ...variables],
        ...['/usr/sbin/chroot', `--userspec=${config.User}`, root],
        ...[...emulator, path.join('/usr/local/bin', program), ...args],
      ],
    };
  }

  return {
    start(port) {
      const env = { QUATI_PORT: String(port), QUATI_HOST: '127.0.0.1', QUATI_DEADLINE_MS: '600000' };
      const started = command([...config.Entrypoint, ...config.Cmd], env);
      return startServer({ ...started, ready: `http://127.0.0.1:${port}/health/ready`, startTimeoutMs });
    },
    checkHealth(port) {
      const [, ...check] = config.Healthcheck?.Test ?? [];
      const { command: program, args } = command(check, { QUATI_PORT: String(port) });
      return spawnSync(program, args, { stdio: 'inherit' }).status;
    },
    remove: () => rmSync(tools, { recursive: true, force: true }),
  };
}

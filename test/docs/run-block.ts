// the lines of a shell block → the programs that bash calls. Some are only recorded, and some run against a server.
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface BlockRun {
  /** The called programs, with their arguments from bash. Only curl really ran. */
  commands: string[][];
  /** The output of curl. */
  output: string;
}

/** Programs that readers have and a test must not start. Any other program that is not part of bash fails the block. */
const recorded = [
  ...[
    'npx',
    'quati',
    'npm',
    'node',
    'git',
    'docker',
    'kubectl',
    'apt-get',
    'apt',
    'systemctl',
    'journalctl',
    'systemd-analyze',
  ],
  ...[
    'pip',
    'install',
    'uname',
    'vcgencmd',
    'getconf',
    'nano',
    'cp',
    'mkdir',
    'tar',
    'jq',
    'python3',
    'useradd',
    'helm',
    'watch',
  ],
];

/**
 * @param url replaces localhost:8000.
 * @param folder the working folder, for relative paths.
 * @throws the output of bash, if a line fails.
 */
export async function runBlock(code: string, url: string, folder: string): Promise<BlockRun> {
  const record = path.join(folder, 'commands');
  await writeFile(record, '');
  const script = `
    set -euo pipefail
    record() { printf '%s\\0' "$@" >> "$RECORD"; printf '\\n' >> "$RECORD"; }
    ${recorded.map((name) => `${name}() { record ${name} "$@"; }`).join('\n')}
    curl() {
      record curl "$@"
      local given=()
      for each in "$@"; do
        given+=("$(printf %s "$each" | sed -E "s#^(http://)?(localhost|raspberrypi.local|quati.example)(:8000)?/#$URL/#; s#^localhost:8000\\$#$URL#")")
      done
      command curl -sS "\${given[@]}"
      echo
    }
    sudo() { "$@"; }
    nohup() { "$@"; }
    nice() { "$@"; }
    ${code}
  `;
  const { stdout } = await run('bash', ['-c', script], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, RECORD: record, URL: url },
  });
  const commands = (await readFile(record, 'utf8')).split('\0\n').filter((line) => line !== '');
  return { commands: commands.map((line) => line.split('\0')), output: stdout };
}

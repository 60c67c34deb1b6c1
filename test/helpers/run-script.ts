// A script of scripts/ and its arguments → what it printed, and its exit code.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { projectFolder } from './project.js';

export interface ScriptRun {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** @param script its path below scripts/, without `.ts`; it runs in `folder`, by default the project's. */
export function runScript(script: string, args: readonly string[], folder = projectFolder): ScriptRun {
  const compiled = path.join(projectFolder, 'build/scripts', `${script}.js`);
  const { status, stdout, stderr } = spawnSync(process.execPath, [compiled, ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

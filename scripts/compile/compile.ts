// A tsconfig → its compiled sources. Nothing runs if neither sources nor result changed.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { copyPage } from './page.js';
import { type Build, stateOf, writeStamp } from './stamp.js';
import { bundleTap } from './tap.js';
import { bundleTypebox } from './typebox.js';

export interface Compilation {
  /** The tsconfig; its tsBuildInfoFile is `<folder>/.tsbuildinfo`. */
  project: string;
  /** The build's folder. */
  folder: string;
  /** Folders of sources → the folder of each one's JavaScript. */
  sources: { src: string; [source: string]: string };
  /** The folder that replaces the `dist` of package.json's imports. */
  dist: string;
  /** Files → where they are copied to. */
  copies?: Record<string, string>;
  /** Whether tap is bundled for the tests in it. */
  hasTests?: boolean;
}

/** The inputs of every compilation in addition to its sources; package-lock.json represents the installed packages. */
const settings = ['package.json', 'package-lock.json', 'tsconfig.json', 'scripts/compile'];

/** @returns the exit code of tsc; 0 if nothing had to be done. */
export function compile({
  project,
  folder,
  sources,
  dist,
  copies = {},
  hasTests = false,
}: Compilation): number {
  const build: Build = {
    inputs: [...settings, project, ...Object.keys(sources)],
    outputs: [
      ...new Set([...Object.values(sources), dist, ...Object.values(copies)]),
      path.join(folder, 'node_modules'),
    ],
    stamp: path.join(folder, '.stamp'),
  };
  const { freshness, read } = stateOf(build);
  if (freshness === 'fresh') return 0;
  mkdirSync(folder, { recursive: true });
  // tsc does not check its output: it would keep a file that was deleted or edited there.
  if (freshness === 'outputs changed') rmSync(path.join(folder, '.tsbuildinfo'), { force: true });
  for (const [source, target] of Object.entries(sources)) removeStale(source, target);
  for (const [file, copy] of Object.entries(copies)) cpSync(file, copy);
  const { status } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project], {
    stdio: 'inherit',
  });
  bundleTypebox(dist);
  if (hasTests) bundleTap(folder);
  copyPage(path.join(sources.src, 'service'));
  if (status === 0) writeStamp(build, read);
  return status ?? 1;
}

/** Removes the output of deleted sources, so that a deleted test does not run. */
function removeStale(source: string, target: string): void {
  if (!existsSync(target)) return;
  const sources = new Set(readdirSync(source, { recursive: true, encoding: 'utf8' }));
  for (const file of readdirSync(target, { recursive: true, encoding: 'utf8' })) {
    const from = file.replace(/(\.d\.ts|\.js(\.map)?)$/, '.ts');
    const isCompiled = from !== file && !file.startsWith('vendor');
    if (isCompiled && !sources.has(from)) rmSync(path.join(target, file));
  }
}

// src/ and test/ → build/, compiled once for all test processes and worker threads; also what a test of one file needs.
//
//   node scripts/build-tests.mjs && npx tap build/test/inference/tensor.test.js
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { bundleTypebox } from './bundle-typebox.mjs';
import { copyPage } from './copy-page.mjs';

const target = 'build';
mkdirSync(target, { recursive: true });
removeStale('src');
removeStale('test');
const { status } = spawnSync(
  process.execPath,
  ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.test.json'],
  {
    stdio: 'inherit',
  },
);
copyFileSync('package.json', path.join(target, 'package.json'));
bundleTypebox(path.join(target, 'dist'));
copyPage(path.join(target, 'src', 'service'));
process.exitCode = status ?? 1;

/** A test whose source was deleted or renamed must not run on. */
function removeStale(folder) {
  const sources = new Set(readdirSync(folder, { recursive: true }));
  for (const file of listFiles(path.join(target, folder))) {
    if (!sources.has(file.replace(/\.js(\.map)?$/, '.ts'))) rmSync(path.join(target, folder, file));
  }
}

function listFiles(folder) {
  try {
    return readdirSync(folder, { recursive: true }).filter((file) => /\.js(\.map)?$/.test(file));
  } catch {
    return [];
  }
}

// typebox → a few files of a build: as installed it is more than 600 modules, and loading them took a third of a server's start.
// The imports of package.json name what is bundled here.
//
//   node scripts/bundle-typebox.mjs dist
import { cpSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';

/** @param {string} build the folder of a build: dist/vendor of package.json's imports is its vendor/. */
export function bundleTypebox(build) {
  const { imports } = JSON.parse(readFileSync('package.json', 'utf8'));
  const entries = Object.values(imports).map(({ types, default: file }) => ({
    in: types,
    out: path.relative('dist', file).replace(/\.js$/, ''),
  }));
  rmSync(path.join(build, 'vendor'), { recursive: true, force: true });
  buildSync({
    entryPoints: entries,
    outdir: build,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    chunkNames: 'vendor/typebox/[hash]',
    logLevel: 'warning',
  });
  cpSync('node_modules/typebox/license', path.join(build, 'vendor', 'typebox', 'LICENSE'));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) bundleTypebox(process.argv[2] ?? 'dist');

// typebox → a few files of a build. The package has more than 600 modules, and loading them took a third of a server's startup.
import { cpSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { buildSync } from 'esbuild';

interface PackageJson {
  imports: Record<string, { types: string; default: string }>;
}

/**
 * Bundles the entries that the imports of package.json name `#typebox…`.
 * @param folder replaces the `dist` of those imports.
 */
export function bundleTypebox(folder: string): void {
  const { imports } = JSON.parse(readFileSync('package.json', 'utf8')) as PackageJson;
  const entries = Object.entries(imports).filter(([name]) => name.startsWith('#typebox'));
  rmSync(path.join(folder, 'vendor'), { recursive: true, force: true });
  buildSync({
    entryPoints: entries.map(([, { types, default: file }]) => ({
      in: types,
      out: path.relative('dist', file).replace(/\.js$/, ''),
    })),
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    chunkNames: 'vendor/typebox/[hash]',
    logLevel: 'warning',
  });
  cpSync('node_modules/typebox/license', path.join(folder, 'vendor', 'typebox', 'LICENSE'));
}

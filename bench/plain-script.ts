// A script of bench/ → the same script as plain JavaScript. A measured process must not hold a compiler: tsx needs 35 MB.
import path from 'node:path';
import { buildSync } from 'esbuild';

/** @returns the path of a JavaScript file in build/. The product that it imports stays in dist/. */
export function plainScript(file: string): string {
  const outfile = path.join('build/plain', file.replace(/\.ts$/, '.js'));
  buildSync({
    entryPoints: [file],
    outfile,
    bundle: true,
    packages: 'external',
    external: ['./dist/*'],
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
  });
  return outfile;
}

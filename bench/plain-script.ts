// A script of bench/ → the same as plain JavaScript. A process that is measured must not hold a compiler: tsx costs it 35 MB.
import path from 'node:path';
import { buildSync } from 'esbuild';

/** @returns the path of a JavaScript file below build/; the product that it imports stays in dist/. */
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

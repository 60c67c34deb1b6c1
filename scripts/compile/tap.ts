// tap → one file of a build, which its tests find before the installed one. As installed it has more than 250 modules, and loading them
// took half of a small test's time.
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildSync } from 'esbuild';

/** @param folder the build's folder; the bundle becomes its `node_modules/tap`. */
export function bundleTap(folder: string): void {
  const target = path.join(folder, 'node_modules', 'tap');
  rmSync(target, { recursive: true, force: true });
  buildSync({
    stdin: { contents: "export * from 'tap';\nexport { default } from 'tap';\n", resolveDir: process.cwd() },
    outfile: path.join(target, 'index.js'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // Its CommonJS modules ask for Node's own.
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
    },
    logLevel: 'warning',
  });
  writeFileSync(
    path.join(target, 'package.json'),
    JSON.stringify({ name: 'tap', type: 'module', exports: './index.js' }),
  );
}

// npm run build: src/ → dist/, which runs, is published and is measured.
// npm run build:tests: src/, test/ and the workshop → build/, checked and compiled once for all test processes and worker threads.
//
//   tsx scripts/compile/main.ts product tests
import { type Compilation, compile } from './compile.js';

const compilations: Record<string, Compilation> = {
  product: {
    project: 'tsconfig.build.json',
    folder: 'dist',
    sources: { src: 'dist' },
    dist: 'dist',
  },
  tests: {
    project: 'tsconfig.test.json',
    folder: 'build',
    sources: { src: 'build/src', test: 'build/test', scripts: 'build/scripts', bench: 'build/bench' },
    dist: 'build/dist',
    copies: { 'package.json': 'build/package.json' },
    hasTests: true,
  },
};

for (const name of process.argv.slice(2)) {
  const compilation = compilations[name];
  if (!compilation)
    throw new RangeError(`${name} is not known; known are ${Object.keys(compilations).join(', ')}`);
  const status = compile(compilation);
  if (status !== 0) process.exit(status);
}

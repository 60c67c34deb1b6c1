// npm run build: src/ → dist/, for running, publishing and measuring.
// npm run build:tests: src/, test/, scripts/ and bench/ → build/, checked and compiled once for all test processes and worker threads.
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
    throw new RangeError(`there is no compilation ${name}; they are ${Object.keys(compilations).join(', ')}`);
  const status = compile(compilation);
  if (status !== 0) process.exit(status);
}

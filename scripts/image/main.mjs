// npm run verify:image: docker/Dockerfile built for both platforms, looked into, run, and its answers on arm64 compared with those on
// amd64. No Docker is needed: buildah builds on stand-ins for the base image, and qemu runs what is for arm64.
//
//   --images 1000      test images a model that are compared, beside every sample of imgs/
//   --cpus <names>     cores that qemu shows; the test images run on the first (default: cortex-a72,cortex-a53,cortex-a76)
//   --data <folder>    of data sets by name (default: data); one that npm has is prepared there
//   --work <folder>    what takes minutes to make, kept for the next time (default: build/image)
//   --npm-cache <folder>   of npm's downloads (default: one in the work folder)
//
// Exit code 2: it can't be tried here.
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { inspect, parseArgs } from 'node:util';
import { classify, compare, predictSamples } from './agreement.mjs';
import { createBuilder } from './build.mjs';
import { findFaults, limits, sizesOf } from './contents.mjs';
import { createMemoryGroup } from './memory.mjs';
import { createRunner } from './service.mjs';
import { testImages } from './test-images.mjs';
import { UnavailableError, whatIsMissing } from './tools.mjs';

const { values: flags } = parseArgs({
  options: {
    images: { type: 'string', default: '1000' },
    cpus: { type: 'string', default: 'cortex-a72,cortex-a53,cortex-a76' },
    data: { type: 'string', default: 'data' },
    work: { type: 'string', default: 'build/image' },
    'npm-cache': { type: 'string' },
  },
});
const memoryLimit = 512 * 1024 * 1024;
const mostStarts = 3;
const counts = { passed: 0, failed: 0, skipped: 0 };

const missing = whatIsMissing();
if (missing) giveUp(missing);
try {
  await verify();
} catch (error) {
  if (error instanceof UnavailableError) giveUp(error.message);
  tell('failed', inspect(error));
}
process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;

function giveUp(reason) {
  process.stderr.write(`verify:image: ${reason}\n`);
  process.exit(2);
}

async function verify() {
  const builder = createBuilder(flags.work, flags['npm-cache']);
  try {
    const amd64 = timed('docker/Dockerfile builds for linux/amd64', () => builder.build('amd64'));
    const arm64 = timed('docker/Dockerfile builds for linux/arm64, on amd64', () => builder.build('arm64'));
    await examine(amd64, arm64);
  } finally {
    builder.unmount();
  }
}

async function examine(amd64, arm64) {
  for (const image of [amd64, arm64])
    judge(
      `${image.arch}: its own binaries, production dependencies, a user, a health check, labels`,
      findFaults(image),
    );
  checkSizes(arm64);
  const { samples, answers } = await askNative(amd64);
  for (const [i, cpu] of flags.cpus.split(',').entries())
    await compareEmulated(arm64, cpu, { samples, answers: i === 0 ? answers : [] });
  await checkMemory(amd64);
}

function checkSizes(image) {
  const { whole, added, parts } = sizesOf(image);
  const told = parts.map(({ name, bytes }) => `${name} ${megabytes(bytes)}`).join(', ');
  judge(
    `arm64: the root file system has ${megabytes(whole)} MB (at most ${megabytes(limits.whole)}), ` +
      `${megabytes(added)} without Node and Debian (at most ${megabytes(limits.added)}): ${told}`,
    whole <= limits.whole && added <= limits.added ? [] : ['it is too large'],
  );
}

/** Every variant of every model is asked for the samples, the one that serves for the test images. */
async function askNative(image) {
  return await withService(image, {}, async (url) => {
    const samples = predictSamples(url);
    judge(
      `amd64: serves with a read-only root file system as ${image.config.User}; quati predict imgs/: ${samples.length} samples`,
      [],
    );
    const answers = [];
    for (const card of cards()) {
      const { files, source } = await testImages(card, Number(flags.images), flags.data);
      const asked = [{ model: card.name, images: files, what: source }];
      for (const variant of Object.keys(card.variants))
        asked.push({
          model: card.name,
          variant,
          images: samplesOf(card.name),
          what: `samples as ${variant}`,
        });
      for (const each of asked) answers.push({ ...each, native: await classify(url, each, each.images) });
    }
    return { samples, answers };
  });
}

/** qemu itself ends now and then under a program of many threads: it is started again, and goes on where it was. */
async function compareEmulated(image, cpu, { samples, answers }) {
  const steps = [
    { what: 'quati predict imgs/', native: samples, ask: predictSamples },
    ...answers.map(({ native, ...asked }) => ({
      what: `${asked.model}, ${asked.what}`,
      native,
      ask: (url) => classify(url, asked, asked.images),
    })),
  ];
  for (let start = 1; steps.length > 0; start++)
    await withService(image, { cpu }, async (url, isAlive) => {
      while (steps.length > 0) {
        const [{ what, native, ask }] = steps;
        try {
          agree(`arm64 (${cpu}): ${what}`, native, await ask(url));
        } catch (error) {
          if (isAlive() || start === mostStarts) throw error;
          process.stdout.write(`qemu ended at ${what}, start ${start} of ${mostStarts}\n`);
          return;
        }
        steps.shift();
      }
    });
}

function agree(title, native, emulated) {
  const { images, most, faults } = compare(native, emulated);
  judge(`${title}: ${images} categories as on amd64, confidences within ${most.toExponential(1)}`, faults);
}

/** As docker/compose.yaml limits it. */
async function checkMemory(image) {
  const group = createMemoryGroup(memoryLimit);
  if (!group) return tell('skipped', 'amd64 in 512 MB: no control group for memory can be made here');
  try {
    await withService(image, { group: group.tasks }, async (url) => {
      predictSamples(url);
      const peak = group.peak();
      tell(
        'passed',
        `amd64: serves all samples in 512 MB${peak === undefined ? '' : `, ${megabytes(peak)} MB at most`}`,
      );
    });
  } finally {
    group.remove();
  }
}

async function withService(image, options, use) {
  const runner = createRunner(image, options);
  const port = await freePort();
  const name = `${image.arch}${options.cpu ? ` (${options.cpu})` : ''}`;
  const service = await runner.start(port);
  try {
    tell(
      'passed',
      `${name}: ready after ${(service.readyMs / 1000).toFixed(1)} s with ${megabytes(service.usage().rss)} MB`,
    );
    judge(
      `${name}: the health check says so`,
      runner.checkHealth(port) === 0 ? [] : ['it exited with another code than 0'],
    );
    return await use(`http://127.0.0.1:${port}`, () => service.usage().rss > 0);
  } finally {
    await service.stop();
    runner.remove();
  }
}

function cards() {
  return readdirSync('models')
    .sort()
    .map((name) => {
      const versions = readdirSync(path.join('models', name)).map(Number).filter(Number.isInteger);
      const file = path.join('models', name, String(Math.max(...versions)), 'card.json');
      return JSON.parse(readFileSync(file, 'utf8'));
    });
}

function samplesOf(model) {
  const folder = path.join('imgs', model);
  return readdirSync(folder)
    .filter((name) => /\.(png|jpe?g|webp)$/.test(name))
    .sort()
    .map((name) => ({ name: path.join(folder, name), file: path.join(folder, name) }));
}

function timed(title, work) {
  const start = performance.now();
  const result = work();
  tell('passed', `${title} (${((performance.now() - start) / 1000).toFixed(0)} s)`);
  return result;
}

function judge(title, faults) {
  tell(faults.length === 0 ? 'passed' : 'failed', title, faults.slice(0, 10));
}

function tell(outcome, title, details = []) {
  counts[outcome]++;
  process.stdout.write([`${outcome}: ${title}`, ...details.map((detail) => `  ${detail}`), ''].join('\n'));
}

function megabytes(bytes) {
  return (bytes / 1e6).toFixed(0);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

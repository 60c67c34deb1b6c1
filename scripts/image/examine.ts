// The images of both platforms → whether their content is correct, they serve, and their predictions agree.
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import type { Card, VariantName } from '#dist/inference/models/card.js';
import { latestVersion } from '../../bench/latest-version.js';
import { megabytes, type Tally } from '../tally.js';
import { type Answer, type Asked, classify, compare, predictSamples } from './agreement.js';
import type { Image } from './build.js';
import { findFaults, limits, sizesOf } from './contents.js';
import { createMemoryGroup } from './memory.js';
import { createRunner, type RunnerOptions } from './service.js';

import { imagesIn, testImages } from './test-images.js';

export interface Examination {
  tally: Tally;
  /** The number of compared test images per model. */
  count: number;
  /** The processors that qemu shows. All classify the samples; the first one also classifies the test images. */
  cpus: readonly string[];
  /** The folder of datasets, by name. */
  data: string;
}

interface NativeAnswers {
  samples: Answer[];
  others: { asked: Asked; what: string; native: Answer[] }[];
}

const memoryLimit = 512 * 1024 * 1024;
const mostStarts = 3;

export async function examine(amd64: Image, arm64: Image, examination: Examination): Promise<void> {
  const { tally, cpus } = examination;
  for (const image of [amd64, arm64])
    tally.judge(
      `${image.arch}: its own binaries, production dependencies, a user, a health check, labels`,
      findFaults(image),
    );
  checkSizes(arm64, tally);
  const { samples, others } = await askNative(amd64, examination);
  for (const [i, cpu] of cpus.entries())
    await compareEmulated(arm64, cpu, { samples, others: i === 0 ? others : [] }, tally);
  await checkMemory(amd64, tally);
}

function checkSizes(image: Image, tally: Tally): void {
  const { whole, added, parts } = sizesOf(image);
  const listed = parts.map(({ name, bytes }) => `${name} ${megabytes(bytes)}`).join(', ');
  tally.judge(
    `arm64: the root file system has ${megabytes(whole)} MB (at most ${megabytes(limits.whole)}), ` +
      `${megabytes(added)} without Node and Debian (at most ${megabytes(limits.added)}): ${listed}`,
    whole <= limits.whole && added <= limits.added ? [] : ['it is too large'],
  );
}

/** Every variant of every model classifies the samples; the served variant also classifies the test images. */
async function askNative(image: Image, { tally, count, data }: Examination): Promise<NativeAnswers> {
  return await withService(image, {}, tally, async (url) => {
    const samples = await predictSamples(url);
    tally.add(
      'passed',
      `amd64: serves with a read-only root file system as ${image.config.User}; quati predict imgs/: ${samples.length} samples`,
    );
    const others: NativeAnswers['others'] = [];
    for (const card of latestCards()) {
      const { images, source } = await testImages(card, count, data);
      const asked: { asked: Asked; what: string }[] = [{ asked: { model: card.name, images }, what: source }];
      for (const variant of Object.keys(card.variants) as VariantName[])
        asked.push({
          asked: { model: card.name, variant, images: imagesIn(path.join('imgs', card.name)) },
          what: `samples as ${variant}`,
        });
      for (const each of asked) others.push({ ...each, native: await classify(url, each.asked) });
    }
    return { samples, others };
  });
}

/** qemu sometimes crashes with a program of many threads. It is started again, and the comparison continues. */
async function compareEmulated(
  image: Image,
  cpu: string,
  { samples, others }: NativeAnswers,
  tally: Tally,
): Promise<void> {
  const steps = [
    { what: 'quati predict imgs/', native: samples, ask: predictSamples },
    ...others.map(({ asked, what, native }) => ({
      what: `${asked.model}, ${what}`,
      native,
      ask: async (url: string) => await classify(url, asked),
    })),
  ];
  for (let start = 1; steps.length > 0; start++)
    await withService(image, { cpu }, tally, async (url, isAlive) => {
      for (let [step] = steps; step; [step] = steps) {
        try {
          agree(`arm64 (${cpu}): ${step.what}`, step.native, await step.ask(url), tally);
        } catch (error) {
          if (isAlive() || start === mostStarts) throw error;
          process.stdout.write(`qemu ended at ${step.what}, start ${start} of ${mostStarts}\n`);
          return;
        }
        steps.shift();
      }
    });
}

function agree(title: string, native: readonly Answer[], emulated: readonly Answer[], tally: Tally): void {
  const { images, most, faults } = compare(native, emulated);
  tally.judge(
    `${title}: ${images} categories as on amd64, confidences within ${most.toExponential(1)}`,
    faults,
  );
}

/** The limit of docker/compose.yaml. */
async function checkMemory(image: Image, tally: Tally): Promise<void> {
  const group = createMemoryGroup(memoryLimit);
  if (!group) {
    tally.add('skipped', 'amd64 in 512 MB: no control group for memory can be made here');
    return;
  }
  try {
    await withService(image, { group: group.tasks }, tally, async (url) => {
      await predictSamples(url);
      const peak = group.peak();
      const most = peak === undefined ? '' : `, ${megabytes(peak)} MB at most`;
      tally.add('passed', `amd64: serves all samples in 512 MB${most}`);
    });
  } finally {
    group.remove();
  }
}

async function withService<T>(
  image: Image,
  options: RunnerOptions,
  tally: Tally,
  use: (url: string, isAlive: () => boolean) => Promise<T>,
): Promise<T> {
  const runner = createRunner(image, options);
  const port = await freePort();
  const name = `${image.arch}${options.cpu ? ` (${options.cpu})` : ''}`;
  const service = await runner.start(port);
  try {
    const seconds = (service.readyMs / 1000).toFixed(1);
    tally.add('passed', `${name}: ready after ${seconds} s with ${megabytes(service.usage().rss)} MB`);
    const healthy = runner.checkHealth(port) === 0;
    tally.judge(`${name}: the health check says so`, healthy ? [] : ['it exited with another code than 0']);
    return await use(`http://127.0.0.1:${port}`, () => service.usage().rss > 0);
  } finally {
    await service.stop();
    runner.remove();
  }
}

/** The card of the highest version of each model. */
function latestCards(): Card[] {
  return readdirSync('models')
    .sort()
    .map((name) => {
      const folder = path.join('models', name);
      const file = path.join(folder, String(latestVersion(folder)), 'card.json');
      return JSON.parse(readFileSync(file, 'utf8')) as Card;
    });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

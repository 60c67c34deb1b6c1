// The commands of docs/your-own-photos.md on two folders of drawn shapes and a tiny backbone.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import t from 'tap';
import { evaluateCommand } from '../../src/cli/evaluate.js';
import type { CliIo } from '../../src/cli/io.js';
import { runCli } from '../../src/cli/program.js';
import { loadCard } from '../../src/inference/models/card.js';
import { createPipeline } from '../../src/inference/pipeline.js';
import { createApp } from '../../src/service/app.js';
import { fakeIo } from '../cli/fake-io.js';
import { runCommand } from '../cli/run-command.js';
import { backboneOnnx } from '../helpers/backbone-fixture.js';
import { projectFolder } from '../helpers/project.js';
import { postImage, testConfig } from '../helpers/service.js';

const each = 24;
type Category = 'cat' | 'dog';

/** A red disc or a blue square, somewhere on a grey that differs, in a picture of another size each time. */
async function drawn(category: Category, n: number): Promise<Buffer> {
  const [width, height] = [60 + ((n * 7) % 40), 60 + ((n * 11) % 30)];
  const [centreX, centreY, radius] = [28 + ((n * 5) % 20), 28 + ((n * 3) % 20), 14 + (n % 8)];
  const colour = category === 'cat' ? [220, 50, 50] : [50, 90, 210];
  const pixels = new Uint8Array(width * height * 3).fill(150 + ((n * 13) % 90));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [dx, dy] = [Math.abs(x - centreX), Math.abs(y - centreY)];
      const distance = category === 'cat' ? Math.hypot(dx, dy) : Math.max(dx, dy);
      if (distance <= radius) pixels.set(colour, (y * width + x) * 3);
    }
  const picture = sharp(pixels, { raw: { width, height, channels: 3 } });
  return await (n % 2 === 0 ? picture.jpeg() : picture.png()).toBuffer();
}

async function commandsOf(guide: string): Promise<string[]> {
  const text = await readFile(path.join(projectFolder, guide), 'utf8');
  const blocks = [...text.matchAll(/^```sh\b[^\n]*\n(.*?)^```$/gms)].map(([, block = '']) => block);
  return blocks.flatMap((block) =>
    block
      .split('\n')
      .map((line) => line.replace(/\s+#.*/, '').trim())
      .filter((line) => line !== ''),
  );
}

/** Measures without exact speeds and serving processes. */
async function quati(command: string): Promise<string> {
  const [name, ...flags] = command.split(' ').slice(2);
  if (name === 'evaluate') {
    const make = (io: CliIo) => evaluateCommand(io, { speedBudgetMs: 0 });
    const ran = await runCommand(make, [...flags, '--no-memory']);
    t.equal(ran.code, 0, `${command}: ${ran.err}`);
    return ran.out;
  }
  const io = fakeIo();
  const code = await runCli(command.split(' ').slice(2), io);
  t.equal(code, 0, `${command}: ${io.err()}`);
  return io.out();
}

t.test('the commands lead from two folders of images to a category over HTTP', async (t) => {
  const root = t.testdir();
  process.chdir(root);
  for (const category of ['cat', 'dog'] as const) {
    await mkdir(path.join('photos', category), { recursive: true });
    for (let n = 0; n < each; n++)
      await writeFile(
        path.join('photos', category, `${n}.${n % 2 ? 'png' : 'jpg'}`),
        await drawn(category, n),
      );
  }
  await writeFile('mobilenet_v1_0.75_224.onnx', backboneOnnx());
  await writeFile('new.jpg', await drawn('dog', 100));
  const commands = await commandsOf('docs/your-own-photos.md');
  const stages = commands.map((command) => command.split(' ').slice(0, 3).join(' '));
  for (const stage of ['train', 'quantise', 'evaluate', 'publish', 'serve'])
    t.ok(stages.includes(`npx quati ${stage}`), stage);

  const served = commands.findIndex((command) => command.startsWith('npx quati serve'));
  for (const command of commands.slice(0, served)) await quati(command);
  const { labels, variants } = await loadCard(path.join('models', 'pets', '1', 'card.json'));
  t.strictSame(labels, ['cat', 'dog']);
  t.ok((variants.int8?.accuracy ?? 0) >= 0.9, `int8 is right of ${variants.int8?.accuracy}`);

  const config = testConfig({ models: 'models' });
  const app = await createApp(config, await createPipeline({ ...config, workers: 1 }));
  t.teardown(() => app.close());
  const asked = commands.flatMap(
    (command) => /^curl -F file=@(\S+) localhost:8000(\S+)$/.exec(command) ?? [],
  );
  const [, file = '', url = ''] = asked;
  const answer = await postImage(app, url, await readFile(file));
  t.strictSame([answer.statusCode, answer.json().category], [200, 'dog']);
});

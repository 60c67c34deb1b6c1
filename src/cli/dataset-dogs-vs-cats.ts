// quati dataset prepare dogs-vs-cats: published photos → a folder that quati train reads.
import path from 'node:path';
import type { DogsVsCats } from '../toolkit/datasets/dogs-vs-cats.js';
import { WrongUseError } from './errors.js';
import type { CliIo } from './io.js';
import { createProgress, type Progress } from './progress.js';

export interface DogsVsCatsFlags {
  from?: string;
  into?: string;
  seed?: number;
  force?: boolean;
  unverified?: boolean;
  json?: boolean;
}

const filesNamed = 20;

export async function runPrepareDogsVsCats(
  { from, into = path.join('data', 'dogs-vs-cats'), seed, force, unverified, json }: DogsVsCatsFlags,
  io: CliIo,
): Promise<void> {
  if (from === undefined)
    throw new WrongUseError('dogs-vs-cats needs --from <folder or archive>: photos are not fetched');
  if (unverified) throw new WrongUseError('--unverified is for files of mnist or cifar10');
  const { prepareDogsVsCats } = await import('../toolkit/datasets/dogs-vs-cats.js');
  let progress: Progress | undefined;
  try {
    const prepared = await prepareDogsVsCats({
      from,
      into,
      signal: io.onInterrupt(),
      onProgress(images, of) {
        progress ??= createProgress(io.stderr, {
          title: 'check photos',
          total: of,
          eta: true,
          inPipe: 'nothing',
        });
        progress.update(images);
      },
      ...(seed !== undefined && { seed }),
      ...(force && { force }),
    });
    progress?.stop();
    io.stdout.write(json ? `${JSON.stringify(prepared, null, 2)}\n` : describe(prepared, into));
  } finally {
    progress?.stop();
  }
}

function describe({ counts, dropped, unknown, keptSplit }: DogsVsCats, into: string): string {
  const parts = Object.entries(counts).map(([split, { cat, dog }]) => `${split} ${cat} cats and ${dog} dogs`);
  const named = dropped.slice(0, filesNamed).map(({ file, reason }) => `dropped ${file}: ${reason}\n`);
  const more =
    dropped.length > filesNamed ? `and ${dropped.length - filesNamed} more, listed in about.json\n` : '';
  const passed =
    unknown.length > 0 ? `${unknown.length} images have neither cat nor dog in their names\n` : '';
  const split = keptSplit ? 'the split of the photos' : 'a new split';
  return (
    `${named.join('')}${more}${passed}dogs-vs-cats: ${parts.join(', ')} (${split}) in ${into}\n` +
    `Next: quati train --backbone <model.onnx> --data ${into}\n`
  );
}

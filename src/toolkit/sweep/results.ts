// the record of a sweep → sweep.md and a plot, in a given folder.
import path from 'node:path';
import { writeFileAtomic } from '../files.js';
import { specToSvg, svgToPng } from '../plots/render.js';
import { sweepSpec } from './figure.js';
import type { SweepRecord } from './record.js';
import { sweepTable } from './summary.js';

/** @returns the written files. */
export async function writeSweepResults(
  record: SweepRecord,
  of: number,
  command: string,
  out: string,
): Promise<string[]> {
  const { recipe, results } = record;
  const svg = await specToSvg(
    sweepSpec(`${recipe.name} on ${recipe.dataset}, ${recipe.epochs} epochs`, results),
  );
  const files: Record<string, string | Uint8Array> = {
    'sweep.md': sweepText(record, of, command),
    'sweep.svg': `${svg}\n`,
    'sweep.png': await svgToPng(svg),
  };
  const written = Object.keys(files).map((name) => path.join(out, name));
  for (const [name, content] of Object.entries(files)) await writeFileAtomic(path.join(out, name), content);
  return written;
}

function sweepText(record: SweepRecord, of: number, command: string): string {
  const { recipe, results } = record;
  return [
    `# ${recipe.name}: gradients of the sign, and the place of normalisation`,
    `\`quati sweep\` wrote this page after ${results.length} of ${of} runs of ${recipe.epochs} epochs each on ${recipe.dataset}. ` +
      'It shows accuracy on the test split: mean ± standard deviation over the seeds.',
    sweepTable(record),
    '![Accuracy of every run](sweep.png)',
    `\`\`\`sh\n${command}\n\`\`\`\n`,
  ].join('\n\n');
}

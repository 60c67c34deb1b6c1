// A measured run → docs/results/<dataset>/<recipe>/, with plots of its history and its answers, and tables of its figures.
import path from 'node:path';
import { openSession } from '../../inference/workers/session.js';
import type { Dataset } from '../datasets/dataset.js';
import { checkLabels } from '../evaluation/checks.js';
import { classifySplit } from '../evaluation/classify.js';
import { readReport } from '../evaluation/report.js';
import { resolveTarget, type Target } from '../evaluation/targets.js';
import { writeFileAtomic } from '../files.js';
import { historyCsv } from '../training/run/history.js';
import { readRun } from '../training/run/run-folder.js';
import { answerExample } from './examples.js';
import { historySpec, readHistory } from './history.js';
import { type Block, predictionsSpec } from './predictions.js';
import { specToSvg, svgToPng } from './render.js';
import { type Results, resultsTable } from './table.js';

const [firstImages, mostWrong] = [30, 20];

/**
 * Writes the results of a run.
 * @param run folder of the run, with evaluation.json and history.json.
 * @param out the folder above <dataset>/, usually docs/results.
 * @returns the written files.
 */
export async function writeResults(run: string, dataset: Dataset, out: string): Promise<string[]> {
  const target = await resolveTarget(run);
  checkLabels(target, dataset);
  const results: Results = {
    run,
    record: await readRun(run),
    report: await readReport(run),
    history: await readHistory(run),
  };
  const { recipe } = results.record;
  const folder = path.join(out, dataset.name, recipe.name);
  const history = await specToSvg(historySpec(`${recipe.name} on ${dataset.name}`, results.history));
  const predictions = await specToSvg(await answersSpec(target, dataset));
  const files: Record<string, string | Uint8Array> = {
    'history.csv': historyCsv(results.history),
    'history.svg': `${history}\n`,
    'history.png': await svgToPng(history),
    'predictions.png': await svgToPng(predictions),
    'results.md': resultsTable(results),
  };
  const written = Object.keys(files).map((name) => path.join(folder, name));
  for (const [name, content] of Object.entries(files))
    await writeFileAtomic(path.join(folder, name), content);
  return written;
}

/** Shows the first variant's answers: to the first test images, whether right or wrong, and then its first wrong answers. */
async function answersSpec(target: Target, dataset: Dataset) {
  const [[variant, file] = ['float32', '']] = target.variants;
  const session = await openSession(file, { input: target.input });
  const { categories } = await classifySplit(session, target, dataset.test).finally(() => session.release());
  const all = [...categories.keys()];
  const wrong = all.filter((i) => categories[i] !== dataset.test.labels[i]);
  const examples = (indices: readonly number[]) =>
    Promise.all(indices.map((i) => answerExample(i, { answer: categories[i] ?? 0 }, target, dataset)));
  const first = all.slice(0, firstImages);
  const shown = wrong.slice(0, mostWrong);
  const blocks: Block[] = [
    { heading: `The first ${first.length} test images`, examples: await examples(first) },
    {
      heading: `The first ${shown.length} of ${wrong.length} incorrect predictions for ${all.length} test images`,
      examples: await examples(shown),
    },
  ];
  return predictionsSpec(
    `${target.name} (${variant}) on ${dataset.name}: predictions for test images`,
    blocks,
  );
}

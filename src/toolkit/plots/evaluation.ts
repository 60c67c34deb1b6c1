// A measured variant and its answers → its folder in results/<dataset>/, with report, confusion matrix, mistakes and reliability.
import path from 'node:path';
import type { Dataset } from '../datasets/dataset.js';
import {
  type ClassificationReport,
  classificationReport,
  reportText,
} from '../evaluation/classification-report.js';
import type { Answers } from '../evaluation/classify.js';
import { rightAnswers } from '../evaluation/evaluate.js';
import { reliability } from '../evaluation/reliability.js';
import type { Summary } from '../evaluation/summary.js';
import type { Target } from '../evaluation/targets.js';
import { writeFileAtomic } from '../files.js';
import { confusionSpec } from './confusion.js';
import { answerExample } from './examples.js';
import { predictionsSpec } from './predictions.js';
import { reliabilitySpec } from './reliability.js';
import { specToSvg, svgToPng } from './render.js';
import { summaryPage } from './summary-page.js';
import { tradeOffSpec } from './trade-off.js';

const mostMistakes = 30;

/** Writes the files of a variant. @returns their paths. */
export async function writeVariantResults(
  folder: string,
  variant: string,
  target: Target,
  dataset: Dataset,
  answers: Answers,
): Promise<string[]> {
  const title = `${target.name} ${variant} on ${dataset.name}`;
  const report = classificationReport(dataset.test.labels, answers.categories, target.labels);
  const sureness = reliability(answers.confidences, rightAnswers(answers, dataset.test));
  const mistakes = await mistakesSpec(title, target, dataset, answers);
  const files: Record<string, string | Uint8Array> = {
    'classification_report.txt': reportText(report),
    'classification_report.json': `${JSON.stringify(describe(report, target.labels), null, 2)}\n`,
    'confusion_matrix.png': await picture(confusionSpec(title, target.labels, report.confusion)),
    'mistakes.png': await picture(mistakes, 1),
    'reliability.png': await picture(reliabilitySpec(title, sureness)),
  };
  return await writeAll(path.join(folder, target.name, variant), files);
}

/** Writes the plot of accuracy and latency, and a page with all figures. @returns their paths. */
export async function writeOverview(folder: string, summary: Summary): Promise<string[]> {
  return await writeAll(folder, {
    'accuracy_latency.png': await picture(tradeOffSpec(summary.dataset.name, summary.rows)),
    'README.md': summaryPage(summary),
  });
}

async function picture(spec: Parameters<typeof specToSvg>[0], scale = 1.5): Promise<Uint8Array> {
  return await svgToPng(await specToSvg(spec), scale);
}

async function writeAll(folder: string, files: Record<string, string | Uint8Array>): Promise<string[]> {
  const written = Object.keys(files).map((name) => path.join(folder, name));
  for (const [name, content] of Object.entries(files))
    await writeFileAtomic(path.join(folder, name), content);
  return written;
}

function describe(report: ClassificationReport, labels: readonly string[]) {
  return { labels, ...report };
}

/** Shows wrong answers, those with the highest confidence first. */
async function mistakesSpec(title: string, target: Target, dataset: Dataset, answers: Answers) {
  const { categories, confidences } = answers;
  const wrong = [...categories.keys()].filter((i) => categories[i] !== dataset.test.labels[i]);
  const surest = wrong.sort((a, b) => (confidences[b] ?? 0) - (confidences[a] ?? 0)).slice(0, mostMistakes);
  const examples = await Promise.all(
    surest.map((i) =>
      answerExample(i, { answer: categories[i] ?? 0, confidence: confidences[i] ?? 0 }, target, dataset),
    ),
  );
  const heading = `The ${surest.length} most confident of ${wrong.length} incorrect predictions for ${categories.length} images`;
  return predictionsSpec(title, [{ heading, examples }]);
}

// measured variants → a plot of accuracy against latency, with file size as the dot, and the Pareto front.
import type { Axis, Legend, Mark, Scale, Spec } from 'vega';
import { paretoFront } from '../evaluation/recommend.js';
import type { SummaryRow } from '../evaluation/summary.js';
import { baseSpec } from './axes.js';
import { fontFamily } from './font.js';

const [width, height] = [620, 400];

/** Variants up and to the left are better. The bars are the 95 % intervals. */
export function tradeOffSpec(dataset: string, rows: readonly SummaryRow[]): Spec {
  const front = paretoFront(rows);
  const named = new Set(mostAccurate(rows));
  const values = rows.map((row) => ({
    ...point(row),
    label: named.has(row) ? row.model : '',
    edge: front.includes(row) ? '#222' : 'white',
  }));
  return {
    ...baseSpec(
      `Accuracy against latency on ${dataset}`,
      width,
      height,
      'No variant is both faster and more accurate than one on the line. Each label marks the most accurate variant of a model.',
    ),
    data: [
      { name: 'points', values },
      { name: 'front', values: front.map(point) },
    ],
    scales,
    axes,
    legends,
    marks: [frontMark, intervalMark, dotMark, labelMark],
  };
}

const scales: Scale[] = [
  {
    name: 'x',
    type: 'log',
    domain: { data: 'points', field: 'ms' },
    range: 'width',
    padding: 40,
  },
  {
    name: 'y',
    type: 'linear',
    domain: { data: 'points', fields: ['low', 'high'] },
    range: 'height',
    zero: false,
    nice: true,
  },
  {
    name: 'size',
    type: 'linear',
    domain: { data: 'points', field: 'bytes' },
    domainMin: 0,
    range: [0, 900],
  },
  {
    name: 'colour',
    type: 'ordinal',
    domain: { data: 'points', field: 'variant' },
    range: { scheme: 'tableau10' },
  },
];

const axes: Axis[] = [
  {
    orient: 'bottom',
    scale: 'x',
    title: 'Median ms of one image on one thread, log scale',
    grid: true,
    format: '~g',
    tickCount: 6,
    labelOverlap: true,
  },
  { orient: 'left', scale: 'y', title: 'Accuracy', grid: true, format: '.2~%', tickCount: 6 },
];

const legends: Legend[] = [
  { fill: 'colour', title: 'Variant', symbolType: 'circle', orient: 'right', rowPadding: 6, padding: 8 },
  { size: 'size', title: 'Bytes', format: '~s', symbolFillColor: '#999', tickCount: 3, orient: 'right' },
];

/** Returns the most accurate row of each model. */
function mostAccurate(rows: readonly SummaryRow[]): SummaryRow[] {
  const best = new Map<string, SummaryRow>();
  for (const row of rows) {
    const { evaluation } = best.get(row.model) ?? {};
    if (!evaluation || row.evaluation.accuracy > evaluation.accuracy) best.set(row.model, row);
  }
  return [...best.values()];
}

function point({ variant, evaluation }: SummaryRow) {
  const { accuracy, accuracyInterval, latencyMs, bytes } = evaluation;
  return {
    variant,
    ms: latencyMs.p50,
    accuracy,
    ...accuracyInterval,
    bytes,
  };
}

const place = { x: { scale: 'x', field: 'ms' }, y: { scale: 'y', field: 'accuracy' } };

const frontMark: Mark = {
  type: 'line',
  from: { data: 'front' },
  encode: {
    update: {
      ...place,
      interpolate: { value: 'step-after' },
      stroke: { value: '#222' },
      strokeWidth: { value: 1.5 },
      strokeDash: { value: [5, 3] },
    },
  },
};

const intervalMark: Mark = {
  type: 'rule',
  from: { data: 'points' },
  encode: {
    update: {
      x: place.x,
      y: { scale: 'y', field: 'low' },
      y2: { scale: 'y', field: 'high' },
      stroke: { scale: 'colour', field: 'variant' },
      strokeOpacity: { value: 0.35 },
    },
  },
};

const dotMark: Mark = {
  type: 'symbol',
  from: { data: 'points' },
  encode: {
    update: {
      ...place,
      size: { scale: 'size', field: 'bytes' },
      fill: { scale: 'colour', field: 'variant' },
      fillOpacity: { value: 0.75 },
      stroke: { field: 'edge' },
      strokeWidth: { value: 1.5 },
    },
  },
};

/** Names each model above its most accurate variant. Colours show the variants. */
const labelMark: Mark = {
  type: 'text',
  from: { data: 'points' },
  encode: {
    update: {
      ...place,
      text: { field: 'label' },
      dy: { value: -16 },
      align: { value: 'center' },
      font: { value: fontFamily },
      fontSize: { value: 10 },
      fill: { value: '#222' },
    },
  },
};

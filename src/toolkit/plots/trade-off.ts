// Measured variants → the picture that decides: accuracy against latency, size as the dot, the Pareto front drawn.
import type { Mark, Spec } from 'vega';
import { paretoFront } from '../evaluation/choose.js';
import type { SummaryRow } from '../evaluation/summary.js';
import { baseSpec } from './axes.js';
import { fontFamily } from './render.js';

const [width, height] = [620, 400];

/** A variant up and to the left of all others is better than they; the bars are the 95 % intervals. */
export function tradeOffSpec(dataset: string, rows: readonly SummaryRow[]): Spec {
  const front = paretoFront(rows);
  const values = rows.map((row) => point(row, front.includes(row)));
  return {
    ...baseSpec(
      `Accuracy against latency on ${dataset}`,
      width,
      height,
      'The line joins what nothing else beats.',
    ),
    data: [
      { name: 'points', values },
      { name: 'front', values: front.map((row) => point(row, true)) },
    ],
    scales: [
      {
        name: 'x',
        type: 'log',
        domain: { data: 'points', field: 'ms' },
        range: 'width',
        nice: true,
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
    ],
    axes: [
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
    ],
    legends: [
      { fill: 'colour', title: 'Variant', symbolType: 'circle', orient: 'right' },
      { size: 'size', title: 'Bytes', format: '~s', symbolFillColor: '#999', tickCount: 3, orient: 'right' },
    ],
    marks: [frontMark, intervalMark, dotMark, labelMark],
  };
}

function point({ model, variant, evaluation }: SummaryRow, onFront: boolean) {
  const { accuracy, accuracyInterval, latencyMs, bytes } = evaluation;
  return {
    name: `${model} ${variant}`,
    variant,
    ms: latencyMs.p50,
    accuracy,
    ...accuracyInterval,
    bytes,
    weight: onFront ? 'bold' : 'normal',
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
      stroke: { value: 'white' },
    },
  },
};

const labelMark: Mark = {
  type: 'text',
  from: { data: 'points' },
  encode: {
    update: {
      ...place,
      text: { field: 'name' },
      dy: { value: -8 },
      dx: { value: 6 },
      font: { value: fontFamily },
      fontSize: { value: 9 },
      fontWeight: { field: 'weight' },
      fill: { value: '#222' },
    },
  },
};

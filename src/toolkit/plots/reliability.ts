// Reliability bins → a plot of accuracy against confidence, and of the number of images by confidence.
import type { GroupMark, Mark, Spec } from 'vega';
import type { Reliability } from '../evaluation/reliability.js';
import { baseSpec } from './axes.js';

const [side, countHeight, gap] = [300, 80, 24];

/** On the diagonal, accuracy equals confidence. Below it, the model's confidence is too high. */
export function reliabilitySpec(title: string, { bins, expectedCalibrationError }: Reliability): Spec {
  const values = bins.filter(({ images }) => images > 0);
  const error = `${(100 * expectedCalibrationError).toFixed(2)} %`;
  return {
    ...baseSpec(title, side, side + gap + countHeight, `expected calibration error ${error}`),
    data: [
      { name: 'bins', values },
      { name: 'ends', values: [{ at: 0 }, { at: 1 }] },
    ],
    scales: [{ name: 'x', type: 'linear', domain: [0, 1], range: [0, side] }],
    marks: [accuracyPanel, countPanel],
  };
}

const between = { x: { scale: 'x', field: 'from' }, x2: { scale: 'x', field: 'to' } };

const bars: Mark = {
  type: 'rect',
  from: { data: 'bins' },
  encode: {
    update: {
      ...between,
      y: { scale: 'y', field: 'accuracy' },
      y2: { scale: 'y', value: 0 },
      fill: { value: '#4c78a8' },
      fillOpacity: { value: 0.6 },
      stroke: { value: 'white' },
    },
  },
};

const diagonal: Mark = {
  type: 'line',
  from: { data: 'ends' },
  encode: {
    update: {
      x: { scale: 'x', field: 'at' },
      y: { scale: 'y', field: 'at' },
      stroke: { value: '#888' },
      strokeDash: { value: [4, 4] },
    },
  },
};

/** The points are at the mean confidence of a bin's images, because the calibration error uses it, and not the bin's middle. */
const curve: Mark[] = ['line', 'symbol'].map((type) => ({
  type: type as 'line' | 'symbol',
  from: { data: 'bins' },
  encode: {
    update: {
      x: { scale: 'x', field: 'confidence' },
      y: { scale: 'y', field: 'accuracy' },
      ...(type === 'line'
        ? { stroke: { value: '#e45756' }, strokeWidth: { value: 2 } }
        : { fill: { value: '#e45756' }, size: { value: 30 } }),
    },
  },
}));

const accuracyPanel: GroupMark = {
  type: 'group',
  encode: { update: { width: { value: side }, height: { value: side } } },
  scales: [{ name: 'y', type: 'linear', domain: [0, 1], range: [side, 0] }],
  axes: [
    {
      orient: 'left',
      scale: 'y',
      title: 'Accuracy',
      format: '.0%',
      grid: true,
      gridScale: 'x',
      tickCount: 5,
    },
    { orient: 'bottom', scale: 'x', labels: false, tickCount: 5 },
  ],
  marks: [bars, diagonal, ...curve],
};

const countPanel: GroupMark = {
  type: 'group',
  encode: {
    update: { y: { value: side + gap }, width: { value: side }, height: { value: countHeight } },
  },
  scales: [
    {
      name: 'images',
      type: 'log',
      domain: { data: 'bins', field: 'images' },
      domainMin: 0.8,
      range: [countHeight, 0],
    },
  ],
  axes: [
    { orient: 'left', scale: 'images', title: 'Images', tickCount: 3, format: '~s' },
    { orient: 'bottom', scale: 'x', title: 'Confidence', format: '.0%', tickCount: 5 },
  ],
  marks: [
    {
      type: 'rect',
      from: { data: 'bins' },
      encode: {
        update: {
          ...between,
          y: { scale: 'images', field: 'images' },
          y2: { value: countHeight },
          fill: { value: '#bbb' },
          stroke: { value: 'white' },
        },
      },
    },
  ],
};

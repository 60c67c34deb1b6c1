// The requests of a load test → a plot of latency by percentile, and of answers and failures per second.
import { quantileSorted } from 'simple-statistics';
import type { Axis, ColorValueRef, GroupMark, Scale, Spec } from 'vega';
import { baseSpec } from './axes.js';
import { fontFamily } from './font.js';

export interface LoadPoint {
  /** Scheduled time, in milliseconds from the start of the measurement. */
  readonly dueMs: number;
  readonly latencyMs: number;
  readonly answered: boolean;
}

const [panelWidth, panelHeight, gap] = [320, 240, 80];
const colours = { answered: '#4c78a8', failed: '#e45756' };
/** On the axis, 50 %, 90 %, 99 % and 99.9 % have equal distances. */
const percentiles = [0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999, 0.9999];
const namedPercentiles = [0, 0.5, 0.9, 0.99, 0.999, 0.9999];

/** Returns a plot of a load test. @param subtitle describes the load. */
export function loadSpec(title: string, subtitle: string, points: readonly LoadPoint[]): Spec {
  return {
    ...baseSpec(title, 2 * panelWidth + gap, panelHeight, subtitle),
    data: [
      { name: 'latency', values: latencyValues(points) },
      { name: 'rate', values: rateValues(points) },
    ],
    scales: [
      { name: 'colour', type: 'ordinal', domain: Object.keys(colours), range: Object.values(colours) },
    ],
    marks: [
      panel(0, latencyScales, latencyAxes, [lineMark('latency', { value: colours.answered })]),
      {
        ...panel(panelWidth + gap, rateScales, rateAxes, [
          {
            type: 'group',
            from: { facet: { name: 'series', data: 'rate', groupby: 'what' } },
            marks: [lineMark('series', { scale: 'colour', field: 'what' })],
          },
        ]),
        legends: [{ stroke: 'colour', orient: 'bottom-right', symbolType: 'stroke', labelFont: fontFamily }],
      },
    ],
  };
}

/** Returns latency by percentile, up to the percentile that the number of requests supports. */
function latencyValues(points: readonly LoadPoint[]): { x: number; y: number }[] {
  const sorted = points.filter(({ answered }) => answered).map(({ latencyMs }) => latencyMs);
  sorted.sort((a, b) => a - b);
  return percentiles
    .filter((part) => sorted.length > 0 && (1 - part) * sorted.length >= 1)
    .map((part) => ({ x: 1 / (1 - part), y: quantileSorted(sorted, part) }));
}

function rateValues(points: readonly LoadPoint[]): { x: number; y: number; what: keyof typeof colours }[] {
  const seconds = Math.ceil(points.reduce((last, { dueMs }) => Math.max(last, dueMs), 0) / 1000);
  const answered = new Array<number>(seconds).fill(0);
  const failed = new Array<number>(seconds).fill(0);
  for (const point of points) {
    const counts = point.answered ? answered : failed;
    const second = Math.floor(point.dueMs / 1000);
    counts[second] = (counts[second] ?? 0) + 1;
  }
  return [
    ...answered.map((y, x) => ({ x, y, what: 'answered' as const })),
    ...failed.map((y, x) => ({ x, y, what: 'failed' as const })),
  ];
}

const latencyScales: Scale[] = [
  { name: 'x', type: 'log', domain: { data: 'latency', field: 'x' }, range: [0, panelWidth] },
  {
    name: 'y',
    type: 'linear',
    domain: { data: 'latency', field: 'y' },
    range: [panelHeight, 0],
    zero: true,
    nice: true,
  },
];

const latencyAxes: Axis[] = [
  {
    orient: 'bottom',
    scale: 'x',
    title: 'Percentile of the successful requests',
    values: namedPercentiles.map((part) => 1 / (1 - part)),
    encode: { labels: { update: { text: { signal: "format(100 - 100 / datum.value, '.4~f')" } } } },
  },
  { orient: 'left', scale: 'y', title: 'Latency, ms', grid: true, gridScale: 'x', tickCount: 6 },
];

const rateScales: Scale[] = [
  { name: 'x', type: 'linear', domain: { data: 'rate', field: 'x' }, range: [0, panelWidth], zero: true },
  {
    name: 'y',
    type: 'linear',
    domain: { data: 'rate', field: 'y' },
    range: [panelHeight, 0],
    zero: true,
    nice: true,
  },
];

const rateAxes: Axis[] = [
  { orient: 'bottom', scale: 'x', title: 'Scheduled time, s', format: 'd', tickMinStep: 1 },
  { orient: 'left', scale: 'y', title: 'Requests per second', grid: true, gridScale: 'x', tickCount: 6 },
];

function panel(left: number, scales: Scale[], axes: Axis[], marks: GroupMark['marks'] & object): GroupMark {
  return {
    type: 'group',
    encode: { update: { x: { value: left }, width: { value: panelWidth }, height: { value: panelHeight } } },
    scales,
    axes,
    marks,
  };
}

function lineMark(data: string, stroke: ColorValueRef): NonNullable<GroupMark['marks']>[number] {
  const place = { x: { scale: 'x', field: 'x' }, y: { scale: 'y', field: 'y' } };
  return {
    type: 'line',
    from: { data },
    encode: { update: { ...place, stroke, strokeWidth: { value: 2 } } },
  };
}

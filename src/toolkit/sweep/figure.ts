// The results of a sweep → a plot: one line per setting, one dot per run, and a bar at the mean.
import type { GroupMark, Mark, Spec } from 'vega';
import { fontFamily } from '../plots/font.js';
import type { SweepResult } from './record.js';
import { type SettingSummary, summarise } from './summary.js';

const [panelWidth, lineHeight, gap] = [300, 22, 60];
const colours = { 'norm-activation': '#4c78a8', 'activation-norm': '#f58518' };
const titles = { float32: 'Binary weights', binary: 'Binary weights and activations' };

/** Draws one panel for real and one for binary activations, each with its own axis. */
export function sweepSpec(title: string, results: readonly SweepResult[]): Spec {
  const summaries = summarise(results);
  const panels = (['float32', 'binary'] as const).map((activations) => ({
    activations,
    summaries: summaries.filter((summary) => summary.activations === activations),
  }));
  const gradients = [...new Set(summaries.map(({ signGradient }) => signGradient))];
  return {
    width: 2 * panelWidth + gap,
    height: gradients.length * 2 * lineHeight,
    padding: 10,
    background: 'white',
    title: { text: title, anchor: 'start', offset: 30, font: fontFamily, fontSize: 14 },
    config: {
      style: {
        'guide-label': { font: fontFamily },
        'guide-title': { font: fontFamily },
        'group-title': { font: fontFamily },
      },
    },
    data: panels.flatMap(({ activations, summaries }) => [
      { name: `${activations}.runs`, values: summaries.flatMap(runsOfSetting) },
      {
        name: `${activations}.means`,
        values: summaries.map(({ signGradient, blockOrder, mean }) => ({
          signGradient,
          blockOrder,
          accuracy: mean,
        })),
      },
    ]),
    scales: [
      { name: 'colour', type: 'ordinal', domain: Object.keys(colours), range: Object.values(colours) },
      {
        name: 'gradient',
        type: 'band',
        domain: gradients,
        range: [0, gradients.length * 2 * lineHeight],
        padding: 0.2,
      },
      { name: 'order', type: 'band', domain: Object.keys(colours), range: [0, 2 * lineHeight * 0.8] },
    ],
    legends: [{ fill: 'colour', orient: 'bottom', direction: 'horizontal', symbolType: 'circle' }],
    marks: panels.map(({ activations }, i) => panel(activations, i * (panelWidth + gap), i === 0)),
  };
}

function runsOfSetting({ signGradient, blockOrder, accuracies }: SettingSummary) {
  return accuracies.map((accuracy) => ({ signGradient, blockOrder, accuracy }));
}

function panel(activations: 'float32' | 'binary', left: number, isFirst: boolean): GroupMark {
  return {
    type: 'group',
    title: { text: titles[activations], fontSize: 12 },
    encode: { update: { x: { value: left }, width: { value: panelWidth }, height: { signal: 'height' } } },
    scales: [
      {
        name: 'x',
        type: 'linear',
        domain: { data: `${activations}.runs`, field: 'accuracy' },
        range: [0, panelWidth],
        zero: false,
        nice: true,
      },
    ],
    axes: [
      { orient: 'bottom', scale: 'x', title: 'Test accuracy', format: '.2~%', tickCount: 5, grid: true },
      { orient: 'left', scale: 'gradient', labels: isFirst, ticks: isFirst },
    ],
    marks: [meanMark(`${activations}.means`), runMark(`${activations}.runs`)],
  };
}

const x = { scale: 'x', field: 'accuracy' };
const y = { scale: 'gradient', field: 'signGradient' };
const fill = { scale: 'colour', field: 'blockOrder' };

/** Draws a bar at the mean. */
function meanMark(data: string): Mark {
  return {
    type: 'rect',
    from: { data },
    encode: {
      update: {
        x: { ...x, offset: -1 },
        width: { value: 2 },
        y: { ...y, offset: { scale: 'order', field: 'blockOrder' } },
        height: { scale: 'order', band: 1 },
        fill,
      },
    },
  };
}

/** Draws one dot per run. */
function runMark(data: string): Mark {
  const middle = { ...y, offset: { scale: 'order', field: 'blockOrder', band: 0.5 } };
  return {
    type: 'symbol',
    from: { data },
    encode: { update: { x, y: middle, fill, size: { value: 30 }, fillOpacity: { value: 0.6 } } },
  };
}

// A confusion matrix → a plot: rows are true labels, columns are answers.
import type { Mark, Spec } from 'vega';
import { baseSpec } from './axes.js';
import { fontFamily } from './font.js';

/** With more classes, cells are too small for their counts. */
const mostNumbered = 25;
/** Width of a letter in a label, in pixels. */
const letterWidth = 6.5;

/** Colours cells by their part of the row, on a square-root scale, which makes a few mistakes in a thousand visible. */
export function confusionSpec(
  title: string,
  labels: readonly string[],
  confusion: readonly (readonly number[])[],
): Spec {
  const cell = Math.max(6, Math.min(40, Math.floor(900 / labels.length)));
  const side = cell * labels.length;
  const values = confusion.flatMap((row, truth) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.map((count, answer) => ({
      truth: labels[truth],
      answer: labels[answer],
      count,
      part: total === 0 ? 0 : count / total,
    }));
  });
  const longest = Math.max(...labels.map(({ length }) => length));
  const axis = { grid: false, labelOverlap: true, labelFontSize: Math.max(6, Math.min(11, cell - 2)) };
  return {
    ...baseSpec(title, side, side),
    data: [{ name: 'cells', values }],
    scales: [
      { name: 'x', type: 'band', domain: [...labels], range: 'width' },
      { name: 'y', type: 'band', domain: [...labels], range: 'height' },
      { name: 'colour', type: 'sqrt', domain: [0, 1], range: ['#ffffff', '#08519c'] },
    ],
    axes: [
      {
        ...axis,
        orient: 'bottom',
        scale: 'x',
        title: 'Predicted label',
        ...(longest * letterWidth > cell && {
          labelAngle: -90,
          labelAlign: 'right',
          labelBaseline: 'middle',
        }),
      },
      { ...axis, orient: 'left', scale: 'y', title: 'True label' },
    ],
    marks: [cellMark, ...(labels.length <= mostNumbered ? [countMark(cell)] : [])],
  };
}

const place = { x: { scale: 'x', field: 'answer' }, y: { scale: 'y', field: 'truth' } };

const cellMark: Mark = {
  type: 'rect',
  from: { data: 'cells' },
  encode: {
    update: {
      ...place,
      width: { scale: 'x', band: 1 },
      height: { scale: 'y', band: 1 },
      fill: { scale: 'colour', field: 'part' },
      stroke: { value: '#ddd' },
      strokeWidth: { value: 0.5 },
    },
  },
};

function countMark(cell: number): Mark {
  return {
    type: 'text',
    from: { data: 'cells' },
    encode: {
      update: {
        x: { ...place.x, band: 0.5 },
        y: { ...place.y, band: 0.5 },
        text: { signal: "datum.count === 0 ? '' : datum.count" },
        fill: { signal: "datum.part > 0.35 ? 'white' : '#222'" },
        align: { value: 'center' },
        baseline: { value: 'middle' },
        font: { value: fontFamily },
        fontSize: { value: Math.max(6, Math.min(11, cell / 3.6)) },
      },
    },
  };
}

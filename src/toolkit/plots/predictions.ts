// Images, true labels and answers → a grid of the images. Wrong answers have a red frame.
import type { GroupMark, Mark, Spec } from 'vega';
import { fontFamily } from './font.js';

export interface Example {
  readonly png: Uint8Array;
  readonly truth: string;
  readonly answer: string;
  /** Confidence of the answer, 0…1. The grid shows it if it is given. */
  readonly confidence?: number;
}

/** Examples under a heading. */
export interface Block {
  readonly heading: string;
  readonly examples: readonly Example[];
}

const columns = 10;
const [side, narrowest, lineHeight, headingHeight] = [56, 72, 12, 34];
/** Width of a bold letter in a caption, in pixels. */
const letterWidth = 7;
const [right, wrong] = ['#54a24b', '#d62728'];

export function predictionsSpec(title: string, blocks: readonly Block[]): Spec {
  const layout = layOut(blocks.flatMap(({ examples }) => examples));
  const { cellWidth, cellHeight } = layout;
  const tops: number[] = [];
  let height = 0;
  for (const { examples } of blocks) {
    tops.push(height);
    height += headingHeight + Math.ceil(examples.length / columns) * cellHeight;
  }
  return {
    width: columns * cellWidth,
    height,
    padding: 10,
    background: 'white',
    title: { text: title, anchor: 'start', offset: 10, font: fontFamily, fontSize: 14 },
    data: blocks.map(({ examples }, i) => ({
      name: `block${i}`,
      values: examples.map((example, index) => cell(example, index, layout)),
    })),
    marks: blocks.map(({ heading }, i) => blockMark(heading, `block${i}`, tops[i] ?? 0)),
  };
}

interface Layout {
  /** Lines of a caption: one for `ship, is truck` if all captions fit into their cells; else `is truck` has a second line. */
  readonly lines: 1 | 2;
  readonly cellWidth: number;
  readonly cellHeight: number;
}

function layOut(examples: readonly Example[]): Layout {
  const widthOf = (lines: 1 | 2) =>
    letterWidth *
    Math.max(0, ...examples.flatMap((example) => captionOf(example, lines).map(({ length }) => length)));
  const lines = widthOf(1) <= narrowest ? 1 : 2;
  return {
    lines,
    cellWidth: Math.max(narrowest, widthOf(lines) + letterWidth),
    cellHeight: side + (lines + 2) * lineHeight,
  };
}

/** Longer labels are cut, so that one of them does not make every cell as wide. */
const longestLabel = 24;

function shortened(label: string): string {
  const letters = [...label];
  return letters.length > longestLabel ? `${letters.slice(0, longestLabel - 1).join('')}…` : label;
}

function captionOf(example: Example, lines: 1 | 2): string[] {
  const [truth, answer] = [shortened(example.truth), shortened(example.answer)];
  if (example.truth === example.answer) return [truth];
  return lines === 1 ? [`${answer}, is ${truth}`] : [answer, `is ${truth}`];
}

function cell(example: Example, index: number, { lines, cellWidth, cellHeight }: Layout) {
  const { png, truth, answer, confidence } = example;
  const isRight = truth === answer;
  return {
    x: (index % columns) * cellWidth,
    y: headingHeight + Math.floor(index / columns) * cellHeight,
    url: `data:image/png;base64,${Buffer.from(png).toString('base64')}`,
    colour: isRight ? right : wrong,
    frame: isRight ? 1 : 4,
    label: captionOf(example, lines),
    lines,
    weight: isRight ? 'normal' : 'bold',
    confidence: confidence === undefined ? '' : `${(100 * confidence).toFixed(1)} %`,
  };
}

function blockMark(heading: string, data: string, top: number): GroupMark {
  return {
    type: 'group',
    encode: { update: { y: { value: top } } },
    marks: [headingMark(heading), ...imageMarks(data), captionMark(data), confidenceMark(data)],
  };
}

const text = { font: { value: fontFamily }, fill: { value: '#222' } };

function headingMark(heading: string): Mark {
  return {
    type: 'text',
    encode: {
      update: {
        ...text,
        text: { value: heading },
        y: { value: headingHeight - 14 },
        fontSize: { value: 12 },
      },
    },
  };
}

/** Draws the image and its frame. */
function imageMarks(data: string): Mark[] {
  const place = { x: { field: 'x' }, y: { field: 'y' }, width: { value: side }, height: { value: side } };
  const frame = { stroke: { field: 'colour' }, strokeWidth: { field: 'frame' } };
  return [
    {
      type: 'image',
      from: { data },
      encode: {
        update: { ...place, url: { field: 'url' }, smooth: { value: false }, aspect: { value: false } },
      },
    },
    { type: 'rect', from: { data }, encode: { update: { ...place, ...frame } } },
  ];
}

function captionMark(data: string): Mark {
  return {
    type: 'text',
    from: { data },
    encode: {
      update: {
        ...text,
        x: { field: 'x', offset: side / 2 },
        y: { field: 'y', offset: side + 16 },
        align: { value: 'center' },
        fontSize: { value: 11 },
        text: { field: 'label' },
        lineHeight: { value: lineHeight },
        fill: { field: 'colour' },
        fontWeight: { field: 'weight' },
      },
    },
  };
}

/** Writes the confidence below the lines of the caption. */
function confidenceMark(data: string): Mark {
  return {
    type: 'text',
    from: { data },
    encode: {
      update: {
        ...text,
        x: { field: 'x', offset: side / 2 },
        y: { field: 'y', offset: { field: 'lines', mult: lineHeight, offset: side + 16 } },
        align: { value: 'center' },
        fontSize: { value: 9 },
        text: { field: 'confidence' },
      },
    },
  };
}

// The history of a run → a plot of loss and accuracy by epoch, for training and validation.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { GroupMark, Mark, Spec } from 'vega';
import { Type } from '#typebox';
import { Compile } from '#typebox/compile';
import type { EpochRecord } from '../training/run/history.js';
import { PlotError } from './errors.js';
import { fontFamily } from './font.js';

interface Point {
  readonly epoch: number;
  readonly value: number;
  readonly images: 'training' | 'validation';
}

interface Panel {
  readonly name: 'loss' | 'accuracy';
  readonly title: string;
  readonly points: readonly Point[];
  /** Whether the axis starts at 0. Otherwise it covers the range of the values. */
  readonly zero: boolean;
  readonly format: string;
}

const [panelWidth, panelHeight, gap] = [300, 220, 70];
const colours = { training: '#4c78a8', validation: '#e45756' };

const validator = Compile(
  Type.Array(
    Type.Object({
      epoch: Type.Integer(),
      loss: Type.Number(),
      accuracy: Type.Number(),
      valLoss: Type.Optional(Type.Number()),
      valAccuracy: Type.Optional(Type.Number()),
      learningRate: Type.Number(),
      seconds: Type.Number(),
      imagesPerSecond: Type.Number(),
    }),
  ),
);

/** Reads history.json. @throws PlotError if the run has none, or it is not a history. */
export async function readHistory(run: string): Promise<EpochRecord[]> {
  const file = path.join(run, 'history.json');
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new PlotError(`${file}: cannot be read: ${(cause as Error).message}`, { cause });
  }
  if (validator.Check(json)) return json as EpochRecord[];
  const [first] = validator.Errors(json);
  throw new PlotError(`${file}: ${first?.instancePath || 'history'} ${first?.message}`);
}

/** Returns a plot of two panels, side by side. */
export function historySpec(title: string, history: readonly EpochRecord[]): Spec {
  const panels: Panel[] = [
    { name: 'loss', title: 'Loss', points: points(history, 'loss', 'valLoss'), zero: true, format: '.3~f' },
    {
      name: 'accuracy',
      title: 'Accuracy',
      points: points(history, 'accuracy', 'valAccuracy'),
      zero: false,
      format: '.1~%',
    },
  ];
  return {
    width: 2 * panelWidth + gap,
    height: panelHeight,
    padding: 10,
    background: 'white',
    title: { text: title, anchor: 'start', offset: 18, font: fontFamily, fontSize: 14 },
    config: { style: { 'guide-label': { font: fontFamily }, 'guide-title': { font: fontFamily } } },
    data: panels.map((panel) => ({ name: panel.name, values: [...panel.points] })),
    scales: [
      {
        name: 'colour',
        type: 'ordinal',
        domain: Object.keys(colours),
        range: Object.values(colours),
      },
    ],
    marks: panels.map((panel, i) => panelMark(panel, i * (panelWidth + gap), history.length)),
  };
}

function points(
  history: readonly EpochRecord[],
  training: 'loss' | 'accuracy',
  validation: 'valLoss' | 'valAccuracy',
): Point[] {
  return history.flatMap((record) => {
    const { epoch, [training]: trained, [validation]: validated } = record;
    const point: Point = { epoch, value: trained, images: 'training' };
    return validated === undefined ? [point] : [point, { epoch, value: validated, images: 'validation' }];
  });
}

function panelMark({ name, title, zero, format }: Panel, left: number, epochs: number): GroupMark {
  const ticks = Math.min(epochs, 10);
  return {
    type: 'group',
    encode: {
      update: { x: { value: left }, width: { value: panelWidth }, height: { value: panelHeight } },
    },
    scales: [
      {
        name: 'x',
        type: 'linear',
        domain: { data: name, field: 'epoch' },
        range: [0, panelWidth],
        zero: false,
      },
      {
        name: 'y',
        type: 'linear',
        domain: { data: name, field: 'value' },
        range: [panelHeight, 0],
        zero,
        nice: true,
      },
    ],
    axes: [
      { orient: 'bottom', scale: 'x', title: 'Epoch', format: 'd', tickMinStep: 1, tickCount: ticks },
      { orient: 'left', scale: 'y', title, format, grid: true, gridScale: 'x', tickCount: 6 },
    ],
    legends: [
      { stroke: 'colour', orient: name === 'loss' ? 'top-right' : 'bottom-right', symbolType: 'stroke' },
    ],
    marks: [seriesMark(name)],
  };
}

function seriesMark(name: Panel['name']): GroupMark {
  const place = {
    x: { scale: 'x', field: 'epoch' },
    y: { scale: 'y', field: 'value' },
  };
  const colour = { scale: 'colour', field: 'images' };
  const marks: Mark[] = [
    {
      type: 'line',
      from: { data: 'series' },
      encode: { update: { ...place, stroke: colour, strokeWidth: { value: 2 } } },
    },
    {
      type: 'symbol',
      from: { data: 'series' },
      encode: { update: { ...place, fill: colour, size: { value: 20 } } },
    },
  ];
  return { type: 'group', from: { facet: { name: 'series', data: name, groupby: 'images' } }, marks };
}
